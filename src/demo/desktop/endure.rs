//! A desktop that lives with a fault: it pings, goes ready and not ready, loses its socket and comes back, as Cisco's does.
//!
//! [`endure`] runs it for as long as the fault needs to show ([`shows_after`]) while `switch` has the server play the fault.
//! What goes wrong is no error here: it is what the capture is for.

use super::{Desktop, Story};
use crate::demo::{Agent, Trouble};
use anyhow::{Context as _, Result, bail};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

/// As the desktop does it: a ping every 10 s, given 10 s, asked two times more.
const PING_EVERY: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(10);
const PINGS: u32 = 3;
/// Before it tries again.
const RECONNECT: Duration = Duration::from_secs(1);
/// How long the last socket may take to close.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long the second desktop stays.
const SECOND_LOGIN: Duration = Duration::from_secs(3);
/// A healthy while before the fault begins.
const HEALTHY: Duration = Duration::from_secs(2);

/// How long a fault has to be played until it shows.
#[must_use]
pub fn shows_after(trouble: Trouble) -> Duration {
    Duration::from_secs(match trouble {
        Trouble::WrongPassword | Trouble::Certificate | Trouble::RefusedSubscription => 5,
        Trouble::SecondLogin | Trouble::Maintenance => 8,
        Trouble::LostEvent | Trouble::LateEvent | Trouble::ServerRestart => 20,
        Trouble::NoPresence => 16,
        Trouble::Middlebox => 45,
        Trouble::Pings | Trouble::Overload => 45,
    })
}

/// Whether the fault shows at the login only, so that it must be there before.
fn is_of_the_login(trouble: Trouble) -> bool {
    use Trouble::{Certificate, NoPresence, RefusedSubscription, WrongPassword};
    matches!(trouble, WrongPassword | NoPresence | RefusedSubscription | Certificate)
}

/// Runs the story's first agent through a fault. `switch` has the server begin (`true`) and end it.
pub async fn endure(story: &Story, trouble: Trouble, switch: impl Fn(bool)) {
    let Some(agent) = story.agents.first() else { return };
    if is_of_the_login(trouble) {
        switch(true);
    }
    let end = Instant::now() + HEALTHY + shows_after(trouble);
    let life = async {
        loop {
            if let Err(error) = live(story, agent, end).await {
                tracing::debug!(error = format!("{error:#}"), "the demo desktop lost its connection");
            }
            if Instant::now() >= end {
                return;
            }
            sleep(RECONNECT).await;
        }
    };
    let playing = async {
        if !is_of_the_login(trouble) {
            sleep(HEALTHY).await;
            match trouble {
                // A real one, so that both sockets are seen.
                Trouble::SecondLogin => {
                    let elsewhere = Story { user_agent: super::OTHER_USER_AGENT, ..story.clone() };
                    if let Ok(desktop) = Desktop::open(&elsewhere, agent).await {
                        let _ = timeout(SECOND_LOGIN, desktop.stream.hold()).await;
                    }
                }
                _ => switch(true),
            }
        }
        std::future::pending::<()>().await;
    };
    let _ = timeout_at(end + FAREWELL, async {
        tokio::select! {
            () = life => {}
            () = playing => {}
        }
    })
    .await;
    switch(false);
}

/// One socket's life; it is closed in order if it lasts until `end`.
async fn live(story: &Story, agent: &Agent, end: Instant) -> Result<()> {
    let mut desktop = timeout_at(end, Desktop::open(story, agent)).await??;
    tokio::select! {
        ended = work(&mut desktop) => ended,
        () = sleep_until(end) => desktop.stream.close().await.map(|_| ()),
    }
}

/// Goes ready and not ready, and pings.
async fn work(desktop: &mut Desktop<'_>) -> Result<()> {
    let user = desktop.user_uri();
    let object = desktop.rest.object(&user).await?;
    let team = object.text_at(&["teamId"]).context("no team")?.to_owned();
    // The real library takes an error for a success.
    let _ = desktop.stream.subscribe(&super::team_node(&team)).await;
    if object.text_at(&["state"]) == Some("LOGOUT") {
        desktop.sign_in_at_phone().await?;
    }
    let mut pinged = Instant::now();
    loop {
        for state in [
            "<state>NOT_READY</state><reasonCodeId>12</reasonCodeId>",
            "<state>NOT_READY</state><reasonCodeId>11</reasonCodeId>",
        ] {
            desktop.rest.put(&user, format!("<User>{state}</User>")).await?;
            let _ = timeout(PING_EVERY / 4, desktop.stream.listen()).await.unwrap_or(Ok(()));
            // Silence until the next ping, in which a middlebox may cut.
            timeout_at(pinged + PING_EVERY, desktop.stream.listen()).await.unwrap_or(Ok(()))?;
            ping(desktop).await?;
            pinged = Instant::now();
        }
    }
}

async fn ping(desktop: &mut Desktop<'_>) -> Result<()> {
    for _ in 0..PINGS {
        match timeout(PATIENCE, desktop.stream.ping()).await {
            Ok(answered) => return answered,
            Err(_) => continue,
        }
    }
    bail!("{PINGS} pings without an answer")
}
