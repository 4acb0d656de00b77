//! A proxy between a scripted client and a scripted upstream, all in raw bytes over TLS, and the tap's copy of it.

pub mod frames;
pub mod program;
pub mod rig;
pub mod stage;
pub mod wire;

pub use rig::{Rig, Setup};

use std::time::Duration;

/// Long enough for any step on a loaded machine; a test that meets it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The one name that the proxies here stand for.
pub const HOST: &str = "finesse.example.test";

/// Awaits a step that has to come.
pub async fn soon<T>(what: &str, step: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(done) => done,
        Err(_) => panic!("never happened: {what}"),
    }
}

/// A small deterministic generator: the same numbers on every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}
