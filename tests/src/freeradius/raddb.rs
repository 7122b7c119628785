//! The configuration files of one FreeRADIUS.

use std::fmt::Write as _;
use std::path::Path;

use crate::freeradius::Account;
use crate::pki::Pki;

/// Writes everything that FreeRADIUS reads into a directory.
pub(super) fn write(directory: &Path, secret: &str, accounts: &[Account], pki: &Pki) {
    let root = directory.display();
    let authority = pki.authority();
    let authority = authority.display();
    let [certificate, key] = pki.server();
    let [certificate, key] = [certificate.display(), key.display()];
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
      private_key_file = "{key}"
      certificate_file = "{certificate}"
      ca_file = "{authority}"
      fragment_size = 1000
      include_length = yes
      tls_min_version = "1.2"
      tls_max_version = "1.2"
    }}
    md5 {{
    }}
    tls {{
      tls = tls-common
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

fn entry(account: &Account) -> String {
    let Account { name, password, reply } = account;
    let reply = reply.iter().map(|pair| format!("\t{pair}")).collect::<Vec<_>>().join(",\n");
    format!("\"{name}\" Cleartext-Password := \"{password}\"\n{reply}\n\n")
}
