//! What a Finesse notification says: `User 1001 READY`, `Dialog 77 FAILED (BUSY)`, `API error Invalid State (CF_…)`.

use super::duration_us;
use crate::capture::event::{ApiError, System, Update};
use crate::finesse::dictionary::{self, ApiErrorTold};
use std::fmt::Write as _;

pub(super) fn update(update: &Update<'_>, node_id: Option<&str>, out: &mut String) -> std::fmt::Result {
    let mut is_coded = false;
    if let Some(user) = &update.user {
        write!(out, "User {}", user.id.as_deref().or(last(update)).or(node_id).unwrap_or("?"))?;
        change(user.previous_state.as_deref(), user.state.as_deref(), out)?;
        reason(user.reason_label.as_deref(), user.reason_code.as_deref(), out)?;
    } else if let Some(dialog) = &update.dialog {
        write!(out, "Dialog {}", dialog.id.as_deref().unwrap_or("?"))?;
        change(dialog.previous_state.as_deref(), dialog.state.as_deref(), out)?;
        if let Some(cause) = &dialog.state_cause {
            write!(out, " ({cause})")?;
        }
        if let Some(other) = &dialog.associated_id {
            write!(out, ", belongs to {other}")?;
        }
        if let Some(other) = &dialog.secondary_id {
            write!(out, ", took over {other}")?;
        }
    } else if let Some(error) = &update.api_error {
        is_coded = api_error(error, "API error ", out)?;
        if let Some(sentence) = error.message.as_deref().filter(|_| !is_coded) {
            write!(out, ": {sentence}")?;
        }
    } else if let Some(system) = &update.system {
        let object = if update.object == "DesktopConfig" { "DesktopConfig" } else { "SystemInfo" };
        out.push_str(object);
        self::system(system, out)?;
    } else if let Some(message) = &update.team_message {
        write!(out, "TeamMessage")?;
        if !message.teams.is_empty() {
            write!(
                out,
                " to {} {}",
                if message.teams.len() == 1 { "team" } else { "teams" },
                message.teams.iter().map(|team| &**team).collect::<Vec<_>>().join(", ")
            )?;
        }
        message.created_by.as_ref().map_or(Ok(()), |by| write!(out, " by {by}"))?;
    } else {
        things(update, out)?;
    }
    if update.event.as_deref() == Some("DELETE") {
        out.push_str(", gone");
    }
    if let Some(cause) = &update.caused_by {
        write!(out, ", {} after its {}", duration_us(cause.latency_us), cause.method)?;
    }
    match update.api_error.as_ref().filter(|_| is_coded) {
        Some(error) => {
            let object = update.source.as_deref().and_then(crate::finesse::Node::read).map(|node| node.object);
            meaning(error, object, None, out)
        }
        None => Ok(()),
    }
}

/// What an error means, as a sentence behind what was said.
pub(super) fn meaning(
    error: &ApiError<'_>,
    object: Option<&str>,
    status: Option<u16>,
    out: &mut String,
) -> std::fmt::Result {
    let told = ApiErrorTold {
        error_type: error.error_type.as_deref(),
        message: error.message.as_deref(),
        data: error.data.as_deref(),
        peripheral_code: error.peripheral_code.as_deref(),
        status,
        object,
    };
    dictionary::explain(told).map_or(Ok(()), |entry| write!(out, ". {}", entry.meaning))
}

/// ` (Connection Failure)`: the server's label, else the code with the name that it has at every deployment.
fn reason(label: Option<&str>, code: Option<&str>, out: &mut String) -> std::fmt::Result {
    match (label, code) {
        (Some(label), _) => write!(out, " ({label})"),
        (None, Some(code)) => match dictionary::reason(None, code).and_then(|entry| entry.name) {
            Some(name) => write!(out, " ({code} {name})"),
            None => write!(out, " ({code})"),
        },
        (None, None) => Ok(()),
    }
}

/// `Invalid State (CF_INVALID_OBJECT_STATE)`, and whether the message is such a code rather than a sentence.
pub(super) fn api_error(error: &ApiError<'_>, lead: &str, out: &mut String) -> Result<bool, std::fmt::Error> {
    write!(out, "{lead}{}", error.error_type.as_deref().unwrap_or("?"))?;
    let Some(message) = error.message.as_deref() else { return Ok(true) };
    let is_code = message.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if is_code {
        write!(out, " ({message})")?;
    }
    Ok(is_code)
}

fn system(system: &System<'_>, out: &mut String) -> std::fmt::Result {
    if let Some(status) = &system.status {
        write!(out, " {status}")?;
    }
    if let Some(reason) = &system.status_reason {
        write!(out, " ({reason})")?;
    }
    for (whose, maintenance) in [("Finesse", &system.finesse_maintenance), ("CTI", &system.cti_maintenance)] {
        if let Some(state) = maintenance {
            write!(out, ", {whose} maintenance {state}")?;
        }
    }
    if system.cti_heartbeat.as_deref() == Some("failure") {
        out.push_str(", CTI heartbeat failure");
    }
    Ok(())
}

/// Queues, media, teams, devices: `Queue 5022`, `Queues 5022, 5023`.
fn things(update: &Update<'_>, out: &mut String) -> std::fmt::Result {
    let object = update.object_name.as_deref().unwrap_or(update.object);
    out.push_str(object);
    let several = update.things.iter().filter_map(|thing| thing.id.as_deref());
    let ids: Vec<&str> = if update.things.is_empty() {
        update.thing.as_ref().and_then(|thing| thing.id.as_deref()).or(last(update)).into_iter().collect()
    } else {
        several.collect()
    };
    // A source without an id ends in the object's own name.
    if !ids.is_empty() && ids != [object] {
        write!(out, " {}", ids.join(", "))?;
    }
    let Some(thing) = &update.thing else { return Ok(()) };
    if let Some(state) = &thing.state {
        write!(out, " {state}")?;
    }
    reason(thing.reason_label.as_deref(), thing.reason_code.as_deref(), out)
}

fn change(previous: Option<&str>, state: Option<&str>, out: &mut String) -> std::fmt::Result {
    match (previous, state) {
        (Some(previous), Some(state)) if previous != state => write!(out, " {previous} → {state}"),
        (_, Some(state)) => write!(out, " {state}"),
        (_, None) => Ok(()),
    }
}

fn last<'e>(update: &'e Update<'_>) -> Option<&'e str> {
    update.source.as_deref().and_then(|source| source.rsplit('/').next())
}
