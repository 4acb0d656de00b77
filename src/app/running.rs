//! A run as it stands, and how it becomes another without cutting a connection.
//!
//! A reload makes everything that can fail first (the configuration, listeners, certificates, the capture file), then puts
//! it in force: whatever goes wrong changes nothing. What cannot change while running stays, and is said.

use super::banner::dangers;
use super::recorder::Recorder;
use super::{addresses, bind, hinted, minted, pin, pins, routes};
use crate::capture::policy::Level;
use crate::cli::{Identity, Run};
use crate::log;
use crate::proxy;
use crate::tls::ca::Listing;
use crate::tls::front::Front;
use crate::tls::keylog::KeyLogFile;
use crate::tls::leaf;
use crate::tls::upstream::{ClientCertificate, Upstream};
use anyhow::{Context as _, anyhow, bail};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

/// A listener's address as it was asked for, and as it is.
type Bound = (SocketAddr, SocketAddr);

/// What a proxy is made of: its configuration, and the listeners that are new.
pub(super) struct Fronting {
    pub(super) proxy: proxy::Config,
    pub(super) listeners: Vec<TcpListener>,
    pub(super) bound: Vec<Bound>,
    pub(super) cas: Vec<Listing>,
}

impl Fronting {
    /// Binds what is not among `bound`, and reads or makes certificates.
    ///
    /// # Errors
    /// Either cannot be done.
    pub(super) async fn new(config: &Run, keylog: Option<&Arc<KeyLogFile>>, bound: &[Bound]) -> anyhow::Result<Self> {
        let wanted = config.traffic.listeners();
        let mut kept: Vec<Bound> = bound.to_vec();
        let mut stays = Vec::new();
        for listener in &wanted {
            let at = kept.iter().position(|(asked, _)| *asked == listener.address);
            stays.push(at.map(|at| kept.remove(at).1));
        }
        let missing = wanted.iter().zip(&stays).filter(|(_, stays)| stays.is_none());
        let own: Vec<SocketAddr> = bound.iter().map(|(_, at)| *at).collect();
        let listeners = bind(missing.map(|(listener, _)| listener.address), &own).await?;
        let mut fresh = addresses(&listeners)?.into_iter();
        let listening: Vec<SocketAddr> = stays.into_iter().filter_map(|stays| stays.or_else(|| fresh.next())).collect();
        let bound = wanted.iter().map(|listener| listener.address).zip(listening.iter().copied()).collect();
        let routes = routes(&wanted, &listening)?;
        let client = config
            .client_identity
            .as_ref()
            .map(|Identity { cert, key }| ClientCertificate { cert: cert.clone(), key: key.clone() });
        let upstream = Upstream::new(&config.trust, client.as_ref(), keylog.cloned())?;
        // Last: it makes the CAs that are missing.
        let (identity, cas) = identity(config, &listening)?;
        let proxy = proxy::Config {
            routes,
            resolve: config.resolve.clone(),
            front: Front::new(identity, keylog.cloned())?,
            upstream,
            rewriting: config.rewriting,
            alpn: config.alpn,
            preface: config.preface,
            limits: config.limits,
        };
        Ok(Self { proxy, listeners, bound, cas })
    }
}

/// Who the proxy is to the browser, and its CAs if it has any.
fn identity(config: &Run, listening: &[SocketAddr]) -> anyhow::Result<(leaf::Identity, Vec<Listing>)> {
    match &config.own_identity {
        Some(Identity { cert, key }) => Ok((leaf::Identity::Own(leaf::Own::load(cert, key)?), Vec::new())),
        None => {
            let minter = minted(&config.certs, &config.traffic.hosts(), listening)?;
            let cas = minter.cas().map(|ca| ca.listing().clone()).collect();
            Ok((leaf::Identity::Minted(Box::new(minter)), cas))
        }
    }
}

/// A run as it stands.
pub(super) struct Running {
    pub(super) config: Run,
    pub(super) keylog: Option<Arc<KeyLogFile>>,
    pub(super) bound: Vec<Bound>,
    pub(super) recorder: Recorder,
    pub(super) changing: Sender<proxy::Change>,
    /// Cancelled when the proxy takes no changes any more.
    pub(super) ending: CancellationToken,
}

impl Running {
    /// Puts another configuration in force, and says what changed, one thing a line. A new capture file begins, also if
    /// nothing has.
    ///
    /// # Errors
    /// Why nothing has changed.
    pub(super) async fn reload(&mut self, read: Result<Run, String>) -> anyhow::Result<Vec<String>> {
        let changed = match read {
            Ok(fresh) => self.change(fresh).await,
            Err(problem) => Err(anyhow!(problem)),
        };
        match &changed {
            Ok(lines) => lines.iter().for_each(|change| tracing::info!(change, "reloaded")),
            Err(error) => {
                let told = format!("{error:#}");
                let (why, hint) = hinted(&told);
                tracing::error!(why, hint, "reload failed, nothing was changed");
            }
        }
        changed
    }

    async fn change(&mut self, mut wanted: Run) -> anyhow::Result<Vec<String>> {
        if wanted.asks_for_pins {
            let trust = pin::known(&pins(&wanted))?;
            wanted.trust = trust;
        }
        let fresh = self.within_reach(&wanted);
        if let (Level::Off, Some(plan)) = (fresh.record.redact, fresh.ship.first()) {
            let receiver = plan.receiver.name();
            bail!(
                "captures are delivered to {receiver}, which passwords must not be\nhint: take the receiver away and start anew"
            );
        }
        let (before, after) = (self.config.settings(), fresh.settings());
        let mut told = differences(&before, &after);
        let preparing = async {
            let front = Fronting::new(&fresh, self.keylog.as_ref(), &self.bound).await?;
            let found = proxy::upstream_addresses(&front.proxy).await;
            let change = self.changing.reserve().await.context("the proxy takes no changes")?;
            anyhow::Ok((front, found, change))
        };
        // From here to the end nothing waits: the proxy that was there still is.
        let Some(prepared) = self.ending.run_until_cancelled(preparing).await else { bail!("the run is ending") };
        let (front, found, change) = prepared?;
        let unreachable = found.into_iter().filter_map(Result::err);
        let known: Vec<_> = dangers(self.config.record.redact, self.bound.iter().map(|(_, at)| *at)).collect();
        let mut warnings: Vec<String> = dangers(fresh.record.redact, front.bound.iter().map(|(_, at)| *at))
            .filter(|danger| !known.contains(danger))
            .map(|danger| format!("warning: {danger}"))
            .collect();
        warnings.extend(unreachable.map(|unreachable| format!("warning: {}", unreachable.why)));
        if told.is_empty() {
            told.push(String::from("no setting changed; certificates and keys were read again"));
            self.recorder.rotation()();
        } else {
            self.recorder.change(&fresh.record, &fresh.traffic.servers(), &after)?;
            told.push(format!("capture {}", self.recorder.place()));
        }
        log::refilter(&fresh.log.filter);
        for (asked, address) in front.bound.iter().filter(|bound| !self.bound.contains(bound)) {
            told.push(format!("listening at {address}{}", if asked == address { "" } else { " (a free port)" }));
        }
        change.send(proxy::Change { listeners: front.listeners, config: front.proxy });
        self.bound = front.bound;
        let stays = differences(&after, &wanted.settings());
        told.extend(stays.iter().map(|difference| format!("only after a restart: {difference}")));
        told.extend(warnings);
        self.config = fresh;
        Ok(told)
    }

    /// What was wanted, but for what cannot change while running.
    fn within_reach(&self, wanted: &Run) -> Run {
        let mut fresh = wanted.clone();
        fresh.limits = self.config.limits;
        fresh.admin = self.config.admin;
        // Who wants a reload looks there for the run.
        fresh.certs.clone_from(&self.config.certs);
        fresh.keylog.clone_from(&self.config.keylog);
        fresh.browser.clone_from(&self.config.browser);
        fresh.console = self.config.console;
        fresh.ship.clone_from(&self.config.ship);
        fresh.log.format = self.config.log.format;
        if !self.config.ship.is_empty() {
            // Shippers read where captures are kept now.
            fresh.record.capture.clone_from(&self.config.record.capture);
        }
        fresh
    }
}

/// What two lists of settings have not in common: `redact: auth → share`, `route: + …`, `route: − …`.
fn differences(before: &[(String, String)], after: &[(String, String)]) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in before.iter().chain(after) {
        if !names.contains(&&**name) {
            names.push(name);
        }
    }
    let values = |rows: &[(String, String)], name: &str| -> Vec<String> {
        rows.iter().filter(|(row, _)| row == name).map(|(_, value)| value.clone()).collect()
    };
    let mut told = Vec::new();
    for name in names {
        let (old, new) = (values(before, name), values(after, name));
        match (&*old, &*new) {
            (old, new) if old == new => {}
            ([old], [new]) => told.push(format!("{name}: {old} → {new}")),
            (old, new) => {
                let gone = old.iter().filter(|value| !new.contains(value)).map(|value| format!("{name}: − {value}"));
                let come = new.iter().filter(|value| !old.contains(value)).map(|value| format!("{name}: + {value}"));
                let before = told.len();
                told.extend(gone.chain(come));
                if told.len() == before {
                    told.push(format!("{name}: {}", new.join(", ")));
                }
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn differences_are_told_by_option() {
        let rows = |rows: &[(&str, &str)]| -> Vec<(String, String)> {
            rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let before = rows(&[("redact", "auth"), ("route", "a"), ("route", "b"), ("quiet", "true"), ("listen", "x")]);
        let after = rows(&[("redact", "share"), ("route", "b"), ("route", "c"), ("listen", "x"), ("verbose", "true")]);
        assert_eq!(
            differences(&before, &after),
            ["redact: auth → share", "route: − a", "route: + c", "quiet: − true", "verbose: + true"]
        );
        assert!(differences(&after, &after).is_empty());
        let turned = rows(&[("route", "c"), ("route", "b")]);
        assert_eq!(differences(&rows(&[("route", "b"), ("route", "c")]), &turned), ["route: c, b"]);
    }
}
