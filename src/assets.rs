//! Ready-made files for what events are collected and searched with, carried inside the program.
//!
//! Each kind is a folder of `assets/` with a README of its own. Lists them, and writes them out; an existing file that is
//! different is never overwritten.

use anyhow::{Context as _, bail};
use std::path::Path;

/// What there are files for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Kind {
    /// An add-on for Splunk (source type, CIM), an app with dashboards, searches.
    Splunk,
    /// Templates, ingest pipeline, Kibana objects, searches.
    Elastic,
    /// A configuration of Filebeat.
    Filebeat,
    /// A configuration of Vector.
    Vector,
    /// A configuration of Fluent Bit.
    FluentBit,
    /// Configurations of rsyslog, for both ends.
    Rsyslog,
    /// A configuration of the OpenTelemetry Collector.
    Otelcol,
    /// The JSON Schema of events.
    Schema,
}

/// A file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct File {
    /// Its path within its kind, with slashes.
    pub path: &'static str,
    /// What is in it.
    pub text: &'static str,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Splunk,
        Self::Elastic,
        Self::Filebeat,
        Self::Vector,
        Self::FluentBit,
        Self::Rsyslog,
        Self::Otelcol,
        Self::Schema,
    ];

    /// As it is written on the command line, and the folder's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Splunk => "splunk",
            Self::Elastic => "elastic",
            Self::Filebeat => "filebeat",
            Self::Vector => "vector",
            Self::FluentBit => "fluent-bit",
            Self::Rsyslog => "rsyslog",
            Self::Otelcol => "otelcol",
            Self::Schema => "schema",
        }
    }

    /// Its files.
    #[must_use]
    pub fn files(self) -> &'static [File] {
        match self {
            Self::Splunk => SPLUNK,
            Self::Elastic => ELASTIC,
            Self::Filebeat => FILEBEAT,
            Self::Vector => VECTOR,
            Self::FluentBit => FLUENT_BIT,
            Self::Rsyslog => RSYSLOG,
            Self::Otelcol => OTELCOL,
            Self::Schema => SCHEMA,
        }
    }

    /// The file at a path.
    ///
    /// # Errors
    /// There is none.
    pub fn file(self, path: &str) -> anyhow::Result<File> {
        let found = self.files().iter().find(|file| file.path == path);
        let Some(file) = found else {
            bail!("{self} has no file {path}\nhint: `finesse-tap assets {self}` lists those it has");
        };
        Ok(*file)
    }

    /// Writes all files below `dir`, which is made if it is not there. What is there and the same is left alone.
    ///
    /// # Errors
    /// A file is there and different (then none is written), or cannot be written.
    pub fn write(self, dir: &Path) -> anyhow::Result<()> {
        let place = |file: &File| dir.join(file.path.split('/').collect::<std::path::PathBuf>());
        for file in self.files() {
            let path = place(file);
            match std::fs::read(&path) {
                Ok(there) if there != file.text.as_bytes() => bail!(
                    "{} is there and different; nothing was written\nhint: name another directory, or remove it first",
                    path.display()
                ),
                _ => {}
            }
        }
        for file in self.files() {
            let path = place(file);
            let parent = path.parent().unwrap_or(dir);
            std::fs::create_dir_all(parent).with_context(|| format!("make the directory {}", parent.display()))?;
            std::fs::write(&path, file.text).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

const SPLUNK: &[File] = &[
    File { path: "README.md", text: include_str!("../assets/splunk/README.md") },
    File {
        path: "TA-finesse-tap/default/app.conf",
        text: include_str!("../assets/splunk/TA-finesse-tap/default/app.conf"),
    },
    File {
        path: "TA-finesse-tap/default/eventtypes.conf",
        text: include_str!("../assets/splunk/TA-finesse-tap/default/eventtypes.conf"),
    },
    File {
        path: "TA-finesse-tap/default/props.conf",
        text: include_str!("../assets/splunk/TA-finesse-tap/default/props.conf"),
    },
    File {
        path: "TA-finesse-tap/default/tags.conf",
        text: include_str!("../assets/splunk/TA-finesse-tap/default/tags.conf"),
    },
    File {
        path: "TA-finesse-tap/metadata/default.meta",
        text: include_str!("../assets/splunk/TA-finesse-tap/metadata/default.meta"),
    },
    File {
        path: "finesse_tap_app/default/app.conf",
        text: include_str!("../assets/splunk/finesse_tap_app/default/app.conf"),
    },
    File {
        path: "finesse_tap_app/default/data/ui/nav/default.xml",
        text: include_str!("../assets/splunk/finesse_tap_app/default/data/ui/nav/default.xml"),
    },
    File {
        path: "finesse_tap_app/default/data/ui/views/overview.xml",
        text: include_str!("../assets/splunk/finesse_tap_app/default/data/ui/views/overview.xml"),
    },
    File {
        path: "finesse_tap_app/default/data/ui/views/performance.xml",
        text: include_str!("../assets/splunk/finesse_tap_app/default/data/ui/views/performance.xml"),
    },
    File {
        path: "finesse_tap_app/default/data/ui/views/sessions.xml",
        text: include_str!("../assets/splunk/finesse_tap_app/default/data/ui/views/sessions.xml"),
    },
    File {
        path: "finesse_tap_app/default/macros.conf",
        text: include_str!("../assets/splunk/finesse_tap_app/default/macros.conf"),
    },
    File {
        path: "finesse_tap_app/metadata/default.meta",
        text: include_str!("../assets/splunk/finesse_tap_app/metadata/default.meta"),
    },
    File { path: "searches.md", text: include_str!("../assets/splunk/searches.md") },
];

const ELASTIC: &[File] = &[
    File { path: "README.md", text: include_str!("../assets/elastic/README.md") },
    File { path: "component-template.json", text: include_str!("../assets/elastic/component-template.json") },
    File { path: "data-view.ndjson", text: include_str!("../assets/elastic/data-view.ndjson") },
    File { path: "index-template.json", text: include_str!("../assets/elastic/index-template.json") },
    File { path: "ingest-pipeline.json", text: include_str!("../assets/elastic/ingest-pipeline.json") },
    File { path: "saved-objects.ndjson", text: include_str!("../assets/elastic/saved-objects.ndjson") },
    File { path: "searches.md", text: include_str!("../assets/elastic/searches.md") },
];

const FILEBEAT: &[File] = &[
    File { path: "README.md", text: include_str!("../assets/filebeat/README.md") },
    File { path: "filebeat.yml", text: include_str!("../assets/filebeat/filebeat.yml") },
];

const VECTOR: &[File] = &[
    File { path: "README.md", text: include_str!("../assets/vector/README.md") },
    File { path: "vector.toml", text: include_str!("../assets/vector/vector.toml") },
];

const FLUENT_BIT: &[File] = &[
    File { path: "README.md", text: include_str!("../assets/fluent-bit/README.md") },
    File { path: "fluent-bit.yaml", text: include_str!("../assets/fluent-bit/fluent-bit.yaml") },
];

const RSYSLOG: &[File] = &[
    File { path: "README.md", text: include_str!("../assets/rsyslog/README.md") },
    File { path: "receiver-relp.conf", text: include_str!("../assets/rsyslog/receiver-relp.conf") },
    File { path: "receiver.conf", text: include_str!("../assets/rsyslog/receiver.conf") },
    File { path: "sender-relp.conf", text: include_str!("../assets/rsyslog/sender-relp.conf") },
    File { path: "sender.conf", text: include_str!("../assets/rsyslog/sender.conf") },
];

const OTELCOL: &[File] = &[
    File { path: "README.md", text: include_str!("../assets/otelcol/README.md") },
    File { path: "config.yaml", text: include_str!("../assets/otelcol/config.yaml") },
];

const SCHEMA: &[File] =
    &[File { path: "event-1.1.schema.json", text: include_str!("../schema/event-1.1.schema.json") }];
