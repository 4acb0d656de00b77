//! `<Dialog>`: a call or task, its parties, and how it belongs to other calls.
//!
//! A consult call names the customer's call in `associatedDialogUri`. After a transfer or conference the surviving dialog
//! names the one that is gone in `secondaryId`.

use super::super::branch::Branch;
use super::{last_part, members};
use std::borrow::Cow;

/// `<Dialog>`: operational parts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dialog<'a> {
    /// `id`.
    pub id: Option<Cow<'a, str>>,
    /// The id in `associatedDialogUri`.
    pub associated_id: Option<Cow<'a, str>>,
    /// `secondaryId`.
    pub secondary_id: Option<Cow<'a, str>>,
    /// `state`.
    pub state: Option<Cow<'a, str>>,
    /// `mediaProperties/callType`.
    pub call_type: Option<Cow<'a, str>>,
    /// `mediaType`.
    pub media_type: Option<Cow<'a, str>>,
    /// `fromAddress`.
    pub from_address: Option<Cow<'a, str>>,
    /// `toAddress`.
    pub to_address: Option<Cow<'a, str>>,
    /// `mediaProperties/dialedNumber`.
    pub dialed_number: Option<Cow<'a, str>>,
    /// `mediaProperties/queueNumber`.
    pub queue_id: Option<Cow<'a, str>>,
    /// `mediaProperties/queueName`.
    pub queue_name: Option<Cow<'a, str>>,
    /// `mediaProperties/callKeyPrefix`: the router's day of the call.
    pub call_key_day: Option<Cow<'a, str>>,
    /// `mediaProperties/callKeyCallId`: the router's number of the call on that day.
    pub call_key: Option<Cow<'a, str>>,
    /// `participants/Participant`.
    pub participants: Vec<Participant<'a>>,
}

impl<'a> Dialog<'a> {
    pub(super) fn read(branch: impl Branch<'a>) -> Self {
        let mut dialog = Self::default();
        for child in branch.branches() {
            let field = match child.name() {
                "id" => &mut dialog.id,
                "secondaryId" => &mut dialog.secondary_id,
                "state" => &mut dialog.state,
                "mediaType" => &mut dialog.media_type,
                "fromAddress" => &mut dialog.from_address,
                "toAddress" => &mut dialog.to_address,
                "associatedDialogUri" => {
                    dialog.associated_id = child.text().and_then(last_part);
                    continue;
                }
                "mediaProperties" => {
                    dialog.read_properties(child);
                    continue;
                }
                "participants" => {
                    dialog.participants.extend(members(child, "Participant").map(Participant::read));
                    continue;
                }
                _ => continue,
            };
            *field = child.text();
        }
        dialog
    }

    fn read_properties(&mut self, properties: impl Branch<'a>) {
        for child in properties.branches() {
            let field = match child.name() {
                "callType" => &mut self.call_type,
                "dialedNumber" => &mut self.dialed_number,
                "queueNumber" => &mut self.queue_id,
                "queueName" => &mut self.queue_name,
                "callKeyPrefix" => &mut self.call_key_day,
                "callKeyCallId" => &mut self.call_key,
                _ => continue,
            };
            *field = child.text();
        }
    }

    /// Why it failed, as the first party that knows says.
    #[must_use]
    pub fn state_cause(&self) -> Option<&Cow<'a, str>> {
        self.participants.iter().find_map(|participant| participant.state_cause.as_ref())
    }
}

/// `<Participant>`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Participant<'a> {
    /// `mediaAddress`.
    pub media_address: Option<Cow<'a, str>>,
    /// `mediaAddressType`: `AGENT_DEVICE`, or none for a party outside.
    pub media_address_type: Option<Cow<'a, str>>,
    /// `state`.
    pub state: Option<Cow<'a, str>>,
    /// `stateCause`: documented for FAILED, seen with DROPPED, too.
    pub state_cause: Option<Cow<'a, str>>,
    /// `stateChangeTime` as written.
    pub state_change_time: Option<Cow<'a, str>>,
    /// `actions/action`, in order.
    pub actions: Vec<Cow<'a, str>>,
}

impl<'a> Participant<'a> {
    fn read(branch: impl Branch<'a>) -> Self {
        let mut participant = Self::default();
        for child in branch.branches() {
            let field = match child.name() {
                "mediaAddress" => &mut participant.media_address,
                "mediaAddressType" => &mut participant.media_address_type,
                "state" => &mut participant.state,
                "stateCause" => &mut participant.state_cause,
                "stateChangeTime" => &mut participant.state_change_time,
                "actions" => {
                    participant.actions.extend(members(child, "action").filter_map(|action| action.text()));
                    continue;
                }
                _ => continue,
            };
            *field = child.text();
        }
        participant
    }
}
