//! FreeRADIUS as home server, with a configuration written for one test; the system's own is not touched.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::namespace::Namespace;
use crate::process::{Process, Program};

/// A FreeRADIUS that answers on 1812 and 1813, IPv4 and IPv6, to whoever has the secret.
#[derive(Debug)]
pub struct FreeRadius {
    process: Process,
    directory: tempfile::TempDir,
}

/// A subscriber.
#[derive(Clone, Debug)]
pub struct Account {
    /// The whole User-Name.
    pub name: String,
    /// The password in clear, so that PAP, CHAP and MS-CHAP all work.
    pub password: String,
    /// Reply attributes, one `Name = value` each, as FreeRADIUS writes them.
    pub reply: Vec<String>,
}

impl Account {
    /// A subscriber with a password.
    pub fn new(name: &str, password: &str) -> Account {
        Account { name: name.to_owned(), password: password.to_owned(), reply: Vec::new() }
    }

    /// Adds a reply attribute.
    #[must_use]
    pub fn reply(mut self, pair: &str) -> Account {
        self.reply.push(pair.to_owned());
        self
    }
}

impl FreeRadius {
    /// Starts it in a namespace and waits until it is ready.
    pub fn start(namespace: &Namespace, secret: &str, accounts: &[Account]) -> FreeRadius {
        let directory = tempfile::tempdir().expect("a temporary directory");
        write_certificate(directory.path());
        write_raddb(directory.path(), secret, accounts);
        let program = Program::new("freeradius").args(["-X", "-n", "radiusd", "-d"]).arg(directory.path());
        let mut process = program.start(namespace);
        process.prints("Ready to process requests");
        FreeRadius { process, directory }
    }

    /// The process: to stop or freeze it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What it printed: every request and reply in full.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Packets of a kind (`Access-Request`) that came in.
    pub fn received(&self, kind: &str) -> usize {
        let start = format!("Received {kind} ");
        self.log().lines().filter(|line| line.contains(&start)).count()
    }

    /// The accounting records it wrote: one text block each.
    pub fn records(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.detail()).unwrap_or_default();
        text.split("\n\n").map(str::to_owned).filter(|record| !record.trim().is_empty()).collect()
    }

    fn detail(&self) -> PathBuf {
        self.directory.path().join("detail")
    }
}

fn write_raddb(directory: &Path, secret: &str, accounts: &[Account]) {
    let root = directory.display();
    let listens: String = [("auth", 1812), ("acct", 1813)].into_iter().fold(String::new(), |mut text, (kind, port)| {
        for family in ["ipaddr", "ipv6addr"] {
            let _ = writeln!(text, "  listen {{ type = {kind} {family} = * port = {port} }}");
        }
        text
    });
    let clients = [("v4", "ipaddr = 0.0.0.0/0"), ("v6", "ipv6addr = ::/0")].map(|(name, addresses)| {
        format!("client {name} {{\n  {addresses}\n  secret = \"{secret}\"\n  require_message_authenticator = yes\n}}\n")
    });
    let clients = clients.concat();
    let listens = listens.replace(" ipaddr", "\n    ipaddr").replace(" ipv6addr", "\n    ipv6addr");
    let listens = listens.replace(" port", "\n    port").replace(" }", "\n  }").replace("{ type", "{\n    type");
    let configuration = format!(
        r#"
name = radiusd
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = "{root}"
confdir = "{root}"
logdir = "{root}"
run_dir = "{root}"
db_dir = "{root}"
max_request_time = 30
cleanup_delay = 5
max_requests = 65536
hostname_lookups = no
security {{
  max_attributes = 200
  reject_delay = 0
  status_server = yes
}}
proxy_requests = no
thread pool {{
  start_servers = 2
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 3
  max_requests_per_server = 0
}}
modules {{
  pap {{
  }}
  chap {{
  }}
  mschap {{
    use_mppe = yes
    require_encryption = yes
    require_strong = yes
    with_ntdomain_hack = no
  }}
  eap {{
    default_eap_type = peap
    timer_expire = 60
    ignore_unknown_eap_types = no
    max_sessions = 4096
    tls-config tls-common {{
      private_key_file = "{root}/key.pem"
      certificate_file = "{root}/certificate.pem"
      ca_file = "{root}/certificate.pem"
      fragment_size = 400
      include_length = yes
      tls_min_version = "1.2"
      tls_max_version = "1.2"
    }}
    peap {{
      tls = tls-common
      default_eap_type = mschapv2
      virtual_server = default
    }}
    ttls {{
      tls = tls-common
      default_eap_type = mschapv2
      virtual_server = default
    }}
    mschapv2 {{
    }}
  }}
  files {{
    filename = "{root}/users"
  }}
  detail {{
    filename = "{root}/detail"
    permissions = 0600
  }}
}}
{clients}
server default {{
{listens}
  authorize {{
    eap {{
      ok = return
    }}
    chap
    mschap
    files
    pap
  }}
  authenticate {{
    eap
    Auth-Type PAP {{
      pap
    }}
    Auth-Type CHAP {{
      chap
    }}
    Auth-Type MS-CHAP {{
      mschap
    }}
  }}
  accounting {{
    detail
  }}
}}
"#
    );
    let users: String = accounts.iter().map(entry).collect();
    std::fs::write(directory.join("radiusd.conf"), configuration).expect("radiusd.conf");
    std::fs::write(directory.join("users"), users).expect("users");
    // The dictionary directory of the distribution is read by default; this file may add to it and has to exist.
    std::fs::write(directory.join("dictionary"), "").expect("dictionary");
}

/// A certificate of its own for EAP. Small fragments make many rounds of it, as large certificates do in the field.
fn write_certificate(directory: &Path) {
    let openssl = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=radius.acme.example", "-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(directory)
        .output()
        .expect("openssl");
    assert!(openssl.status.success(), "openssl: {}", String::from_utf8_lossy(&openssl.stderr));
}

fn entry(account: &Account) -> String {
    let Account { name, password, reply } = account;
    let reply = reply.iter().map(|pair| format!("\t{pair}")).collect::<Vec<_>>().join(",\n");
    format!("\"{name}\" Cleartext-Password := \"{password}\"\n{reply}\n\n")
}
