//! The objects that Finesse tells of, by the names of their elements.
//!
//! The server writes some names in lower case where the guide has capitals: they are compared without regard to case.

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Object {
    /// `<user>`
    User,
    /// `<dialog>`, `<Dialog>`
    Dialog,
    /// `<dialogs>`
    Dialogs,
    /// `<team>`
    Team,
    /// `<Queue>`
    Queue,
    /// `<Queues>`
    Queues,
    /// `<Media>`
    Media,
    /// `<Devices>`
    Devices,
    /// `<TeamMessage>`
    TeamMessage,
    /// `<systemInfo>`
    SystemInfo,
    /// The JSON that `/desktop/api/` answers with: a bare object that tells the deployment.
    DesktopConfig,
    /// `<apiErrors>`, or one `<apiError>` alone.
    ApiErrors,
    /// Anything else.
    #[default]
    Other,
}

impl Object {
    /// As the event stream writes it: `User`, `Dialog`, `ApiErrors` …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::KNOWN.iter().find(|(object, _)| *object == self).map_or("Other", |(_, name)| name)
    }

    /// The object an element of this name stands for, in either case.
    pub(super) fn of(name: &str) -> Self {
        if name.eq_ignore_ascii_case("ApiError") {
            return Self::ApiErrors;
        }
        Self::KNOWN
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map_or(Self::Other, |(object, _)| *object)
    }

    const KNOWN: [(Self, &'static str); 12] = [
        (Self::User, "User"),
        (Self::Dialog, "Dialog"),
        (Self::Dialogs, "Dialogs"),
        (Self::Team, "Team"),
        (Self::Queue, "Queue"),
        (Self::Queues, "Queues"),
        (Self::Media, "Media"),
        (Self::Devices, "Devices"),
        (Self::TeamMessage, "TeamMessage"),
        (Self::SystemInfo, "SystemInfo"),
        (Self::DesktopConfig, "DesktopConfig"),
        (Self::ApiErrors, "ApiErrors"),
    ];
}
