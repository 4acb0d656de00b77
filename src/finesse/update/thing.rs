//! Queues, media routing domains, teams, devices and team messages.

use super::super::branch::Branch;
use super::agent::{reason, reason_code};
use super::{last_part, member_text, members, number};
use std::borrow::Cow;

/// What a queue, a media, a team or a device has in common, and what only some have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Thing<'a> {
    /// `id`, `deviceId`, or the last part of `uri`.
    pub id: Option<Cow<'a, str>>,
    /// `name`.
    pub name: Option<Cow<'a, str>>,
    /// `state` or `status`.
    pub state: Option<Cow<'a, str>>,
    /// Media: `stateChangeTime` as written.
    pub state_change_time: Option<Cow<'a, str>>,
    /// Media: the code inside `ReasonCode`, else `reasonCodeId`; as for a user.
    pub reason_code: Option<Cow<'a, str>>,
    /// Media: `ReasonCode/label`.
    pub reason_label: Option<Cow<'a, str>>,
    /// Queue: `statistics`.
    pub statistics: Option<Statistics>,
}

/// A queue's `<statistics>`; `-1` stands for what the server did not ask the CTI server for, and is absent here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// `callsInQueue`.
    pub calls: Option<u64>,
    /// `agentsReady`.
    pub ready: Option<u64>,
    /// `agentsNotReady`.
    pub not_ready: Option<u64>,
    /// `agentsTalkingInbound`, `…Outbound` and `…Internal` together.
    pub talking: Option<u64>,
    /// `agentsLoggedOn`.
    pub logged_on: Option<u64>,
}

impl<'a> Thing<'a> {
    pub(super) fn read(branch: impl Branch<'a>) -> Self {
        let mut thing = Self::default();
        let (mut uri, mut code) = (None, None);
        for child in branch.branches() {
            match child.name() {
                "id" | "deviceId" => thing.id = child.text(),
                "name" => thing.name = child.text(),
                "state" | "status" => thing.state = child.text(),
                "uri" => uri = child.text(),
                "stateChangeTime" => thing.state_change_time = child.text(),
                "reasonCodeId" => thing.reason_code = child.text(),
                "reasonCode" | "ReasonCode" => (code, thing.reason_label) = reason(child),
                "statistics" => thing.statistics = Some(Statistics::read(child)),
                _ => {}
            }
        }
        thing.reason_code = reason_code(code, thing.reason_code.take());
        thing.id = thing.id.or_else(|| uri.and_then(last_part));
        thing
    }
}

impl Statistics {
    fn read<'a>(branch: impl Branch<'a>) -> Self {
        let mut statistics = Self::default();
        for child in branch.branches() {
            let field = match child.name() {
                "callsInQueue" => &mut statistics.calls,
                "agentsReady" => &mut statistics.ready,
                "agentsNotReady" => &mut statistics.not_ready,
                "agentsTalkingInbound" | "agentsTalkingOutbound" | "agentsTalkingInternal" => &mut statistics.talking,
                "agentsLoggedOn" => &mut statistics.logged_on,
                _ => continue,
            };
            if let Some(count) = number(child).and_then(|count| u64::try_from(count).ok()) {
                *field = Some(field.unwrap_or_default().saturating_add(count));
            }
        }
        statistics
    }
}

/// `<TeamMessage>`: what a supervisor tells a team.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message<'a> {
    /// `id`.
    pub id: Option<Cow<'a, str>>,
    /// `createdBy/id`.
    pub created_by: Option<Cow<'a, str>>,
    /// `createdAt`, seconds since 1970.
    pub created_at_s: Option<i64>,
    /// `duration`, seconds.
    pub duration_s: Option<i64>,
    /// `content`.
    pub content: Option<Cow<'a, str>>,
    /// The ids in `teams/team`.
    pub teams: Vec<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    pub(super) fn read(branch: impl Branch<'a>) -> Self {
        let mut message = Self::default();
        let mut uri = None;
        for child in branch.branches() {
            match child.name() {
                "id" => message.id = child.text(),
                "uri" => uri = child.text(),
                "createdBy" => message.created_by = member_text(child, "id"),
                "createdAt" => message.created_at_s = number(child),
                "duration" => message.duration_s = number(child),
                "content" => message.content = child.text(),
                "teams" => {
                    let teams = members(child, "team");
                    message.teams.extend(teams.filter_map(|team| member_text(team, "id").or_else(|| team.text())));
                }
                _ => {}
            }
        }
        message.id = message.id.or_else(|| uri.and_then(last_part));
        message
    }
}
