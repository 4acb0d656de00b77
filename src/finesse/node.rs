//! Pub-sub node names and `source` paths: `/finesse/api/User/1001/Dialogs` taken apart.

/// A node or REST path's object, id and what is asked of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node<'a> {
    /// `User`, `Team`, `Queue`, `Dialog`, `SystemInfo`, `TeamMessage`, `Media`, … as written.
    pub object: &'a str,
    /// The object's id, still percent-encoded.
    pub id: Option<&'a str>,
    /// What follows the id: `Dialogs`, `Queues`, `Media`, `Users`, `Dialogs/Media`, `ReasonCodes` …
    pub aspect: Option<&'a str>,
}

impl<'a> Node<'a> {
    /// Reads `/finesse/api/OBJECT[/ID[/ASPECT]]` (a query is ignored); `None` for anything else.
    #[must_use]
    pub fn read(path: &'a str) -> Option<Self> {
        let _ = path;
        todo!()
    }

    /// The node's class, without anybody's id: `User`, `User/Dialogs`, `Team/Users` …
    #[must_use]
    pub fn class(&self) -> String {
        todo!()
    }
}
