//! SystemInfo: the names under which the cluster's nodes are reached.

use crate::xmpp::parse::parse;

/// The hosts of primary and secondary node in a SystemInfo document, as far as they are given.
#[must_use]
pub fn system_hosts(document: &str) -> Vec<String> {
    let document = parse(document);
    let Some(root) = document.roots().next() else { return Vec::new() };
    let nodes = ["primaryNode", "secondaryNode"].into_iter().filter_map(|node| root.child(node)?.child("host"));
    nodes.map(|host| host.text().trim().to_lowercase()).filter(|host| !host.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::system_hosts;

    #[test]
    fn both_nodes_are_named() {
        let document = "<SystemInfo><primaryNode><host>A.example.test</host></primaryNode><secondaryNode><host>b.example.test\
                        </host></secondaryNode><status>IN_SERVICE</status></SystemInfo>";
        assert_eq!(system_hosts(document), ["a.example.test", "b.example.test"]);
        assert!(system_hosts("<SystemInfo><primaryNode><host/></primaryNode></SystemInfo>").is_empty());
        assert!(system_hosts("{}").is_empty());
    }
}
