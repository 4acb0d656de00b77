//! The admin address, checked: loopback, unless more is asked for by name.

use super::Problem;
use super::read::{is_on, read_value};
use super::said::Said;
use super::value;
use std::net::SocketAddr;

/// Where metrics are served.
pub(super) fn address(said: &Said) -> Result<Option<SocketAddr>, Problem> {
    let Some(value) = said.one("admin") else {
        let exposed = said.one("admin_exposed").filter(|value| value.switch == Some(true));
        return exposed.map_or(Ok(None), |exposed| {
            Err(exposed.problem("without --admin it means nothing").hint("add --admin ADDR:PORT"))
        });
    };
    let address = read_value(value, value::admin)?;
    if address.ip().is_loopback() || is_on(said, "admin_exposed") {
        return Ok(Some(address));
    }
    Err(value
        .problem(format!("{address} lets other machines read the metrics"))
        .hint(format!("write {}, or add --admin-exposed if that is meant", value.set_to("127.0.0.1:9445"))))
}
