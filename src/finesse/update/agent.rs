//! `<User>`: who an agent is, and in which state.

use super::super::branch::Branch;
use std::borrow::Cow;

/// `<user>`: operational parts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct User<'a> {
    /// `loginId`.
    pub login_id: Option<Cow<'a, str>>,
    /// `loginName`.
    pub login_name: Option<Cow<'a, str>>,
    /// `extension`.
    pub extension: Option<Cow<'a, str>>,
    /// `state`.
    pub state: Option<Cow<'a, str>>,
    /// `pendingState`.
    pub pending_state: Option<Cow<'a, str>>,
    /// `stateChangeTime` as written.
    pub state_change_time: Option<Cow<'a, str>>,
    /// The code inside `reasonCode` (what agents see, 255 for a lost connection), else `reasonCodeId`, which Finesse
    /// also uses for the code's key in its database. `-1` is no reason.
    pub reason_code: Option<Cow<'a, str>>,
    /// That is such a key.
    pub reason_is_key: bool,
    /// `reasonCode/label`.
    pub reason_label: Option<Cow<'a, str>>,
    /// `teamId`.
    pub team_id: Option<Cow<'a, str>>,
    /// `teamName`.
    pub team_name: Option<Cow<'a, str>>,
}

impl<'a> User<'a> {
    pub(super) fn read(branch: impl Branch<'a>) -> Self {
        let mut user = Self::default();
        let mut code = None;
        for child in branch.branches() {
            let field = match child.name() {
                "loginId" => &mut user.login_id,
                "loginName" => &mut user.login_name,
                "extension" => &mut user.extension,
                "state" => &mut user.state,
                "pendingState" => &mut user.pending_state,
                "stateChangeTime" => &mut user.state_change_time,
                "reasonCodeId" => &mut user.reason_code,
                "teamId" => &mut user.team_id,
                "teamName" => &mut user.team_name,
                "reasonCode" | "ReasonCode" => {
                    (code, user.reason_label) = reason(child);
                    continue;
                }
                _ => continue,
            };
            *field = child.text();
        }
        let is_code = code.as_deref().is_some_and(|code| code != "-1");
        user.reason_code = reason_code(code, user.reason_code.take());
        user.reason_is_key = user.reason_code.is_some() && !is_code;
        user
    }
}

/// Code and label of a `<reasonCode>`.
pub(super) fn reason<'a>(branch: impl Branch<'a>) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
    let (mut code, mut label) = (None, None);
    for part in branch.branches() {
        match part.name() {
            "code" => code = part.text(),
            "label" => label = part.text(),
            _ => {}
        }
    }
    (code, label)
}

/// The code inside a reason, else the id; `-1` stands for no reason.
pub(super) fn reason_code<'a>(code: Option<Cow<'a, str>>, id: Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
    [code, id].into_iter().flatten().find(|code| code != "-1")
}
