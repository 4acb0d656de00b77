//! Pub-sub node names and `source` paths: `/finesse/api/User/1001/Dialogs` taken apart.
//!
//! Borrows from the path; decodes and checks nothing. What may name a person stays out of the class.

/// A node or REST path's object, id and what is asked of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node<'a> {
    /// `User`, `Team`, `Queue`, `Dialog`, `SystemInfo`, `TeamMessage`, `Media`, … as written.
    pub object: &'a str,
    /// The object's id, still percent-encoded.
    pub id: Option<&'a str>,
    /// What follows the id: `Dialogs`, `Queues`, `Media`, `Users`, `Dialogs/Media`, `ReasonCodes`, `Media/5000` …
    pub aspect: Option<&'a str>,
}

impl<'a> Node<'a> {
    /// Reads `/finesse/api/OBJECT[/ID[/ASPECT]]` (a query is ignored); `None` for anything else.
    #[must_use]
    pub fn read(path: &'a str) -> Option<Self> {
        let path = path.split(['?', '#']).next()?.strip_prefix("/finesse/api/")?.trim_end_matches('/');
        let mut parts = path.splitn(3, '/');
        let object = parts.next().filter(|object| !object.is_empty())?;
        let mut present = || parts.next().filter(|part| !part.is_empty());
        Some(Self { object, id: present(), aspect: present() })
    }

    /// The node's class, without anybody's id: `User`, `User/Dialogs`, `Team/Users` …
    #[must_use]
    pub fn class(&self) -> String {
        let mut class = self.object.to_owned();
        for part in self.aspect.into_iter().flat_map(|aspect| aspect.split('/')) {
            if ASPECTS.contains(&part) {
                class.push('/');
                class.push_str(part);
            }
        }
        class
    }

    /// The last part of the aspect that is a name of the API's, not an id.
    pub(super) fn asked(&self) -> Option<&'a str> {
        self.aspect?.rsplit('/').find(|part| ASPECTS.contains(part))
    }
}

/// The words that follow an id in Cisco's REST guide. Anything else there may be an id.
const ASPECTS: [&str; 22] = [
    "ClientLog",
    "Contact",
    "Contacts",
    "Devices",
    "Dialogs",
    "LayoutConfig",
    "Media",
    "MediaPropertiesLayout",
    "MediaPropertiesLayouts",
    "PhoneBook",
    "PhoneBooks",
    "Queues",
    "ReasonCode",
    "ReasonCodes",
    "TeamMessage",
    "TeamMessages",
    "Users",
    "WorkflowActions",
    "Workflow",
    "Workflows",
    "WrapUpReason",
    "WrapUpReasons",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let cases = [
            ("/finesse/api/User/1001", "User", Some("1001"), None, "User"),
            ("/finesse/api/User/1001/", "User", Some("1001"), None, "User"),
            ("/finesse/api/User/1001/Dialogs", "User", Some("1001"), Some("Dialogs"), "User/Dialogs"),
            (
                "/finesse/api/User/ann%40x/Dialogs/Media",
                "User",
                Some("ann%40x"),
                Some("Dialogs/Media"),
                "User/Dialogs/Media",
            ),
            ("/finesse/api/User/1001/Media/5000", "User", Some("1001"), Some("Media/5000"), "User/Media"),
            ("/finesse/api/User/1001/Ann/Other", "User", Some("1001"), Some("Ann/Other"), "User"),
            ("/finesse/api/Team/7/Users?category=a/b", "Team", Some("7"), Some("Users"), "Team/Users"),
            ("/finesse/api/SystemInfo", "SystemInfo", None, None, "SystemInfo"),
            ("/finesse/api/ReasonCodes?category=ALL", "ReasonCodes", None, None, "ReasonCodes"),
            ("/finesse/api/User//Dialogs", "User", None, Some("Dialogs"), "User/Dialogs"),
        ];
        for (path, object, id, aspect, class) in cases {
            let node = Node::read(path).unwrap();
            assert_eq!(node, Node { object, id, aspect }, "{path}");
            assert_eq!(node.class(), class, "{path}");
        }
        for other in
            ["", "/", "/finesse/api", "/finesse/api/", "/finesse/api/?x", "/desktop/sso/token", "finesse/api/User"]
        {
            assert_eq!(Node::read(other), None, "{other}");
        }
    }
}
