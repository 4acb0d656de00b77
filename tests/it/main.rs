//! The integration tests.

#[cfg(test)]
mod real;
