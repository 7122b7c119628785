//! Certificates for EAP: an authority, a server's and a device's, made by openssl for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority and what it has signed, in a directory that lives as long as this.
///
/// Both certificates are of about two kilobytes, as they are in the field with long chains and names: a handshake does not
/// fit into one packet, and EAP-TLS has to send it in fragments, in both directions (RFC 5216 §2.1.5).
#[derive(Debug)]
pub struct Pki(tempfile::TempDir);

impl Pki {
    /// Makes all of them.
    pub fn new() -> Pki {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let pki = Pki(directory);
        let key = new_key("ca", "authority.acme.example");
        pki.openssl(&format!("{key} -x509 -days 2 -addext basicConstraints=critical,CA:TRUE -out ca.pem"));
        pki.sign("server", "radius.acme.example", "serverAuth");
        pki.sign("device", "device.acme.example", "clientAuth");
        pki
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// The home server's certificate and its key.
    pub fn server(&self) -> [PathBuf; 2] {
        ["server.pem", "server.key"].map(|name| self.path(name))
    }

    /// The device's certificate and its key.
    pub fn device(&self) -> [PathBuf; 2] {
        ["device.pem", "device.key"].map(|name| self.path(name))
    }

    fn sign(&self, name: &str, subject: &str, purpose: &str) {
        self.openssl(&format!("{} -out {name}.csr", new_key(name, subject)));
        let comment = "long ".repeat(340);
        let text = format!("extendedKeyUsage = {purpose}\nnsComment = {}\n", comment.trim_end());
        std::fs::write(self.path(&format!("{name}.ext")), text).expect("a file");
        let signer = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2";
        self.openssl(&format!("x509 -req -in {name}.csr {signer} -extfile {name}.ext -out {name}.pem"));
    }

    fn openssl(&self, words: &str) {
        let output = Command::new("openssl").args(words.split(' ')).current_dir(self.0.path()).output();
        let output = output.expect("openssl");
        assert!(output.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(self.0.path()).join(name)
    }
}

impl Default for Pki {
    fn default() -> Pki {
        Pki::new()
    }
}

/// Words for `openssl` that make a key, NAME.key, and what is to be signed with it.
fn new_key(name: &str, subject: &str) -> String {
    format!("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -subj /CN={subject}")
}
