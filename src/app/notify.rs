//! Tells a service manager that the proxy is up, as sd_notify(3) of systemd has it: one datagram to the socket that
//! `NOTIFY_SOCKET` names. Says nothing where nobody asked. Knows no other state than READY, and nothing but Linux.

/// Says that listeners are bound and signals are heard. Before that `systemctl start` waits, and a signal that the
/// manager sends could end the program.
pub(super) fn ready() {
    #[cfg(target_os = "linux")]
    if let Some(socket) = std::env::var_os("NOTIFY_SOCKET")
        && let Err(error) = linux::send(&socket, b"READY=1")
    {
        tracing::warn!(%error, "the service manager was not told that the proxy is up");
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    /// Sends `state` to a path, or after an `@` to a name in the abstract namespace.
    pub(super) fn send(socket: &OsStr, state: &[u8]) -> std::io::Result<()> {
        let address = match socket.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(socket)?,
        };
        UnixDatagram::unbound()?.send_to_addr(state, &address).map(drop)
    }
}
