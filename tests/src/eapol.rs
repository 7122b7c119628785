//! eapol_test (from hostapd) as a device behind a NAS: it speaks EAP to its end and checks that both ends have the same keys.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crate::network::Host;
use crate::pki::Pki;
use crate::process::{Finished, Program};

/// How a device logs in.
#[derive(Clone, Copy, Debug)]
pub enum Method<'p> {
    /// EAP-TLS with the device's certificate (RFC 5216).
    Tls(&'p Pki),
    /// EAP-TLS with a certificate that another authority has signed than the home server's.
    TlsOfAnother {
        /// What the device trusts.
        authority: &'p Pki,
        /// Who signed its certificate.
        device: &'p Pki,
    },
    /// PEAP with MS-CHAPv2 inside.
    PeapMsChapV2,
    /// EAP-TTLS with PAP inside (RFC 5281).
    TtlsPap,
    /// EAP-MSCHAPv2 by itself.
    MsChapV2,
    /// EAP-MD5 (RFC 3748 §5.4), which makes no keys.
    Md5,
}

/// A device and its subscriber.
#[derive(Clone, Debug)]
pub struct Device<'p> {
    method: Method<'p>,
    identity: String,
    password: String,
    calling: String,
}

/// What came of a login.
#[derive(Debug)]
pub struct Login {
    finished: Finished,
    keys: bool,
}

impl<'p> Device<'p> {
    /// A device that logs in as `identity`.
    pub fn new(method: Method<'p>, identity: &str, password: &str) -> Device<'p> {
        let calling = "02:00:00:00:00:01".to_owned();
        Device { method, identity: identity.to_owned(), password: password.to_owned(), calling }
    }

    /// Gives it a MAC address by its number: its Calling-Station-Id.
    #[must_use]
    pub fn numbered(mut self, number: usize) -> Device<'p> {
        let [.., a, b, c] = number.to_be_bytes();
        self.calling = format!("02:00:00:{a:02x}:{b:02x}:{c:02x}");
        self
    }

    /// Logs in by a NAS, at a server under the NAS's secret.
    pub fn login(&self, nas: &Host, server: SocketAddr, secret: &str) -> Login {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("network");
        std::fs::write(&path, self.network()).expect("a file");
        let mut program = Program::new("eapol_test")
            .args(["-a", &server.ip().to_string(), "-p", &server.port().to_string(), "-s", secret])
            .args(["-M", &self.calling, "-t", "20", "-c"])
            .arg(path);
        let keys = !matches!(self.method, Method::Md5);
        if !keys {
            program = program.arg("-n");
        }
        Login { finished: program.finish(&nas.namespace, "", Duration::from_secs(40)), keys }
    }

    /// What eapol_test reads, in wpa_supplicant's format.
    fn network(&self) -> String {
        let Device { identity, password, .. } = self;
        let mut lines = match self.method {
            Method::Tls(pki) => eap_tls(pki, pki),
            Method::TlsOfAnother { authority, device } => eap_tls(authority, device),
            Method::PeapMsChapV2 => "eap=PEAP\n  phase2=\"auth=MSCHAPV2\"\n".to_owned(),
            Method::TtlsPap => "eap=TTLS\n  phase2=\"auth=PAP\"\n".to_owned(),
            Method::MsChapV2 => "eap=MSCHAPV2\n".to_owned(),
            Method::Md5 => "eap=MD5\n".to_owned(),
        };
        let _ = write!(lines, "  identity=\"{identity}\"\n  password=\"{password}\"\n");
        let key_management = if matches!(self.method, Method::Md5) { "IEEE8021X" } else { "WPA-EAP" };
        format!("network={{\n  key_mgmt={key_management}\n  eapol_flags=0\n  {lines}}}\n")
    }
}

fn eap_tls(authority: &Pki, device: &Pki) -> String {
    let [certificate, key] = device.device();
    let files = [("ca_cert", authority.authority()), ("client_cert", certificate), ("private_key", key)];
    let mut lines = "eap=TLS\n  fragment_size=1000\n".to_owned();
    for (name, path) in files {
        let _ = writeln!(lines, "  {name}=\"{}\"", path.display());
    }
    lines
}

impl Login {
    /// Whether it succeeded, and, where the method makes keys, both ends have the same.
    pub fn succeeded(&self) -> bool {
        let Finished { status, output } = &self.finished;
        status.success() && (!self.keys || output.contains("MPPE keys OK: 1  mismatch: 0"))
    }

    /// Fails the test, with all of eapol_test's output, unless it succeeded and the keys are right.
    #[track_caller]
    pub fn expect_success(&self) {
        assert!(self.succeeded(), "{}", self.finished.output);
    }

    /// Fails the test unless it was refused.
    #[track_caller]
    pub fn expect_refusal(&self) {
        assert!(!self.finished.status.success(), "{}", self.finished.output);
        assert!(self.finished.output.contains("Access-Reject"), "{}", self.finished.output);
    }

    /// All that eapol_test printed.
    pub fn output(&self) -> &str {
        &self.finished.output
    }
}

/// Runs `login` for every number below `count`, two at a time, and gives the outputs of those that failed.
pub fn many(count: usize, login: impl Fn(usize) -> Login + Sync) -> Vec<String> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= count {
                        return;
                    }
                    let login = login(number);
                    if !login.succeeded() {
                        failed.lock().expect("no login panics").push(login.output().to_owned());
                    }
                }
            });
        }
    });
    failed.into_inner().expect("no login panics")
}
