//! What a server is given before it is started: documents, and the accounts in its own form.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::server::Programs;
use super::{HostedError, Server};
use crate::compare::child::Child;
use crate::load::{Accounts, Kind};
use crate::ports;

/// The realm of all accounts.
pub(super) const REALM: &str = "sakura.example";
/// Shared with every server.
pub(super) const SECRET: &str = "measured-with-this-secret";

/// Where one server is, and what its documents are filled in with.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) directory: PathBuf,
    /// Ports on 127.0.0.1. Accounting and administration are sekisho's alone, which has no listener without them.
    pub(super) authentication: u16,
    accounting: u16,
    admin: u16,
    /// How many accounts the customer's contract is for.
    accounts: usize,
    /// FreeRADIUS's own schema and queries.
    sql: PathBuf,
    /// Whether FreeRADIUS needs its module for MS-CHAP. What it does not need is not set up: each module costs every login.
    ms_chap: bool,
}

/// A contract is for more accounts than there are.
const CONTRACTED: usize = 20_000;

impl Site {
    /// Writes the server's documents and accounts into `directory`, which is empty.
    pub(super) fn prepare(
        programs: &Programs,
        server: Server,
        accounts: &Accounts,
        kinds: &[Kind],
        directory: &Path,
    ) -> Result<Self, HostedError> {
        let told = |error: io::Error| HostedError::Start { what: format!("preparing {server}"), error };
        let [authentication, accounting, admin] = ports::free().map_err(told)?;
        let site = Self {
            directory: directory.to_owned(),
            authentication,
            accounting,
            admin,
            accounts: accounts.len().max(CONTRACTED),
            sql: programs.sql.clone().unwrap_or_default(),
            ms_chap: kinds.contains(&Kind::MsChapV2),
        };
        match server {
            Server::Sekisho => {
                let program =
                    programs.program(server).ok_or(io::ErrorKind::NotFound).map_err(|kind| told(kind.into()))?;
                site.write_sekisho(accounts).map_err(told)?;
                site.enter_into_the_registry(program)?;
            }
            Server::Files => site.write_freeradius(FILES, ("users", users_file(accounts))).map_err(told)?,
            Server::Sqlite => site.write_freeradius(SQLITE, ("accounts.sql", sql(accounts))).map_err(told)?,
        }
        Ok(site)
    }

    /// Starts the server in the foreground.
    pub(super) fn start(&self, programs: &Programs, server: Server) -> Result<Child, HostedError> {
        let told = |error: io::Error| HostedError::Start { what: format!("starting {server}"), error };
        let program = programs.program(server).ok_or(io::ErrorKind::NotFound).map_err(|kind| told(kind.into()))?;
        let mut command = Command::new(program);
        match server {
            Server::Sekisho => command.args(["run", "--config"]).arg(&self.directory),
            Server::Files | Server::Sqlite => command.args(["-f", "-n", "radiusd", "-d"]).arg(&self.directory),
        };
        Child::start(&mut command, &self.directory.join("output.log")).map_err(told)
    }

    fn write_sekisho(&self, accounts: &Accounts) -> io::Result<()> {
        let limits = include_str!("../../peers/sekisho/limits.toml");
        self.write("sekisho.toml", &[NODE, limits].concat())?;
        self.write(CUSTOMER_FILE, CUSTOMER)?;
        fs::write(self.directory.join(ACCOUNTS_FILE), csv(accounts)?)
    }

    /// From an empty registry to a served customer, by the commands that an operator types.
    fn enter_into_the_registry(&self, program: &Path) -> Result<(), HostedError> {
        let import = ["import", "--contract", "sakura-group", "--realm", REALM, ACCOUNTS_FILE];
        for (verb, arguments) in [
            ("apply", &["-f", CUSTOMER_FILE][..]),
            ("accept", &["--customer", "sakura"]),
            ("accounts", &import),
            ("confirm", &["--customer", "sakura", "--all"]),
            ("start", &["--customer", "sakura"]),
        ] {
            let mut command = Command::new(program);
            // What `accounts` does with them is a word before the options.
            let (word, options) = if verb == "accounts" { arguments.split_at(1) } else { arguments.split_at(0) };
            command.arg(verb).args(word).arg("--config").arg(&self.directory).args(options);
            run(command.current_dir(&self.directory))?;
        }
        Ok(())
    }

    fn write_freeradius(&self, module: &str, accounts: (&str, String)) -> io::Result<()> {
        self.write("radiusd.conf", FREERADIUS)?;
        self.write("accounts.conf", module)?;
        self.write("dictionary", "")?;
        fs::write(self.directory.join(accounts.0), accounts.1)
    }

    /// Writes a document with its placeholders filled in.
    fn write(&self, name: &str, template: &str) -> io::Result<()> {
        fs::write(self.directory.join(name), self.fill(template))
    }

    fn fill(&self, template: &str) -> String {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        [
            ("@DIR@", self.directory.display().to_string()),
            ("@SQL@", self.sql.display().to_string()),
            ("@THREADS@", threads.to_string()),
            ("@AUTH@", self.authentication.to_string()),
            ("@ACCT@", self.accounting.to_string()),
            ("@ADMIN@", self.admin.to_string()),
            ("@ACCOUNTS@", self.accounts.to_string()),
            ("@SECRET@", SECRET.to_owned()),
            ("@REALM@", REALM.to_owned()),
            ("@MSCHAP@", if self.ms_chap { "mschap" } else { "" }.to_owned()),
            ("@MSCHAP_MODULE@", if self.ms_chap { MSCHAP } else { "" }.to_owned()),
            ("@MSCHAP_AUTH@", if self.ms_chap { MSCHAP_AUTH } else { "" }.to_owned()),
        ]
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

const NODE: &str = include_str!("../../peers/sekisho/hosted.toml");
const CUSTOMER: &str = include_str!("../../peers/sekisho/sakura.toml");
const CUSTOMER_FILE: &str = "sakura.toml";
const ACCOUNTS_FILE: &str = "accounts.csv";
const FREERADIUS: &str = include_str!("../../peers/freeradius/hosted.conf");
/// The same keys for MPPE as sekisho gives.
const MSCHAP: &str = "mschap {\n\t\tuse_mppe = yes\n\t\trequire_encryption = no\n\t}";
const MSCHAP_AUTH: &str = "Auth-Type MS-CHAP {\n\t\t\tmschap\n\t\t}";
const FILES: &str = include_str!("../../peers/freeradius/files.conf");
const SQLITE: &str = include_str!("../../peers/freeradius/sqlite.conf");

/// Runs a command to its end.
fn run(command: &mut Command) -> Result<(), HostedError> {
    let told = |command: &Command| format!("{command:?}").replace('"', "");
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| HostedError::Start { what: format!("running {}", told(command)), error })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(HostedError::Command { command: told(command), said: String::from_utf8_lossy(&said).into_owned() })
}

/// As `sekisho accounts import` takes them.
fn csv(accounts: &Accounts) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["user", "password"])?;
    for account in accounts.iter() {
        writer.write_record([&account.user, &account.password])?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// As rlm_files takes them (users(5)).
fn users_file(accounts: &Accounts) -> String {
    accounts.iter().fold(String::new(), |mut text, account| {
        let password = account.password.replace('\\', r"\\").replace('"', r#"\""#);
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{} Cleartext-Password := \"{password}\"", account.name(REALM));
        text
    })
}

/// As rlm_sql has them in `radcheck`: statements that it runs when it makes the database. With SQLite's write-ahead log, which
/// the file keeps, a query needs fewer locks.
fn sql(accounts: &Accounts) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut text = String::from("PRAGMA journal_mode = WAL;\nBEGIN;\n");
    for account in accounts.iter() {
        let (name, password) = (quoted(&account.name(REALM)), quoted(&account.password));
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "INSERT INTO radcheck (username, attribute, op, value) VALUES ({name}, 'Cleartext-Password', ':=', {password});"
        );
    }
    text + "COMMIT;\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::accounts::Account;

    fn awkward() -> Accounts {
        [Account { user: "o'hara".into(), password: r#"a"b\c,d"#.into() }].into_iter().collect()
    }

    #[test]
    fn awkward_names_and_passwords_are_quoted_as_each_form_wants() {
        assert_eq!(users_file(&awkward()), "o'hara@sakura.example Cleartext-Password := \"a\\\"b\\\\c,d\"\n");
        assert!(sql(&awkward()).contains("('o''hara@sakura.example', 'Cleartext-Password', ':=', 'a\"b\\c,d');"));
        assert_eq!(String::from_utf8(csv(&awkward()).unwrap()).unwrap(), "user,password\no'hara,\"a\"\"b\\c,d\"\n");
    }

    #[test]
    fn every_placeholder_of_every_document_is_filled_in() {
        let site = Site {
            directory: "directory".into(),
            authentication: 1,
            accounting: 2,
            admin: 3,
            accounts: 20_000,
            sql: "sql".into(),
            ms_chap: true,
        };
        for template in [NODE, CUSTOMER, FREERADIUS, FILES, SQLITE] {
            let filled = site.fill(template).replace("@NAME@", "");
            assert!(!filled.contains('@'), "{filled}");
        }
    }

    #[test]
    fn a_command_that_fails_is_shown_with_what_it_said() {
        let error = run(Command::new("sh").args(["-c", "echo no such contract >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("no such contract"), "{error}");
    }
}
