//! `<SystemInfo>`, and what `/desktop/api/` tells a desktop before anybody signs in: state and layout of the servers.
//!
//! `statusReason` is free text. `finesseMMode` and `ctiMMode` tell of planned maintenance: of Finesse itself, and of the
//! CTI server (the PG).

use super::super::branch::Branch;
use super::{flag, member_text, members, number};
use std::borrow::Cow;

/// `<SystemInfo>`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct System<'a> {
    /// `status`: `IN_SERVICE`, `OUT_OF_SERVICE` …; of a desktop's configuration, `systemStatus`.
    pub status: Option<Cow<'a, str>>,
    /// `statusReason`.
    pub status_reason: Option<Cow<'a, str>>,
    /// `deploymentType`: `UCCE` or `UCCX`.
    pub deployment: Option<Cow<'a, str>>,
    /// `systemAuthMode`: `SSO`, `NON_SSO`, `HYBRID`.
    pub auth_mode: Option<Cow<'a, str>>,
    /// `lastCTIHeartbeatStatus`: `success` or `failure`.
    pub cti_heartbeat: Option<Cow<'a, str>>,
    /// `lastSuccessCTIHeartbeatTime` as written.
    pub cti_heartbeat_time: Option<Cow<'a, str>>,
    /// `ctiHeartbeatInterval`, seconds.
    pub cti_heartbeat_interval_s: Option<i64>,
    /// `ctiVersion`.
    pub cti_version: Option<Cow<'a, str>>,
    /// `ctiMMode`.
    pub cti_maintenance: Option<Cow<'a, str>>,
    /// `finesseMMode`.
    pub finesse_maintenance: Option<Cow<'a, str>>,
    /// `finesseTimeInMMode`; negative outside maintenance.
    pub finesse_maintenance_s: Option<i64>,
    /// `peripheralId`.
    pub peripheral_id: Option<Cow<'a, str>>,
    /// `currentTimestamp` as written.
    pub current_time: Option<Cow<'a, str>>,
    /// `xmppDomain`: which node answers.
    pub xmpp_domain: Option<Cow<'a, str>>,
    /// `primaryNode/host`.
    pub primary_host: Option<Cow<'a, str>>,
    /// `secondaryNode/host`.
    pub secondary_host: Option<Cow<'a, str>>,
    /// The host of the active `ctiServers/ctiServer`.
    pub cti_host: Option<Cow<'a, str>>,
    /// `alternateHost` of a desktop's configuration.
    pub alternate_host: Option<Cow<'a, str>>,
    /// `isAlternateSystemAvailable`.
    pub alternate_available: Option<bool>,
    /// `redirectToAlternateHost`.
    pub redirects_to_alternate: Option<bool>,
}

impl<'a> System<'a> {
    /// Whether a JSON object without a name is a desktop's configuration.
    pub(super) fn is_configuration(object: impl Branch<'a>) -> bool {
        object.branches().any(|member| matches!(member.name(), "deploymentType" | "systemStatus" | "systemAuthMode"))
    }

    pub(super) fn read(branch: impl Branch<'a>) -> Self {
        let mut system = Self::default();
        for child in branch.branches() {
            let field = match child.name() {
                "status" | "systemStatus" => &mut system.status,
                "statusReason" => &mut system.status_reason,
                "deploymentType" => &mut system.deployment,
                "systemAuthMode" => &mut system.auth_mode,
                "lastCTIHeartbeatStatus" => &mut system.cti_heartbeat,
                "lastSuccessCTIHeartbeatTime" => &mut system.cti_heartbeat_time,
                "ctiVersion" => &mut system.cti_version,
                "ctiMMode" => &mut system.cti_maintenance,
                "finesseMMode" => &mut system.finesse_maintenance,
                "peripheralId" => &mut system.peripheral_id,
                "currentTimestamp" => &mut system.current_time,
                "xmppDomain" => &mut system.xmpp_domain,
                "alternateHost" => &mut system.alternate_host,
                _ => {
                    system.read_other(child);
                    continue;
                }
            };
            *field = child.text();
        }
        system
    }

    fn read_other(&mut self, child: impl Branch<'a>) {
        match child.name() {
            "ctiHeartbeatInterval" => self.cti_heartbeat_interval_s = number(child),
            "finesseTimeInMMode" => self.finesse_maintenance_s = number(child),
            "primaryNode" => self.primary_host = member_text(child, "host"),
            "secondaryNode" => self.secondary_host = member_text(child, "host"),
            "ctiServers" => {
                let active = |server: &_| member_text(*server, "active").is_none_or(|active| active == "true");
                self.cti_host = members(child, "ctiServer").find(active).and_then(|server| member_text(server, "host"));
            }
            "isAlternateSystemAvailable" => self.alternate_available = flag(child),
            "redirectToAlternateHost" => self.redirects_to_alternate = flag(child),
            _ => {}
        }
    }
}
