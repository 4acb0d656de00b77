//! `export`: captures become a file in another form.
use crate::config::Export;
/// todo
pub fn export(_config: &Export) -> anyhow::Result<()> {
    Ok(())
}
