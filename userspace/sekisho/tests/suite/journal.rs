//! Records come out of the journal as they went in: for billing as a table, with all that they have as JSON lines.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::common::{Documents, PROGRAM, text};
use sekisho_journal::{Directory, Journal, Kind, Options, Record};
use sekisho_wire::{attr, build::RequestBuilder, code::Code, secret::Secret};
use serde_json::Value as Json;

const SECOND: u64 = 1_000_000_000;
/// 2026-11-27T00:00:00Z.
const MIDNIGHT: u64 = 1_795_737_600 * SECOND;

/// Segments that are full after some hundred records.
fn small() -> Options {
    Options { segment: 28 << 10, batch: 10 << 10, reserve: 0, ..Options::default() }
}

/// A journal in a directory of its own, with its writer.
struct Written {
    at: tempfile::TempDir,
    journal: Journal,
    next: u64,
}

impl Written {
    fn new() -> Written {
        let at = tempfile::tempdir().unwrap();
        let journal = Journal::open(Directory::new(at.path()), small(), MIDNIGHT).unwrap().0;
        Written { at, journal, next: 0 }
    }

    fn path(&self) -> &Path {
        self.at.path()
    }

    /// Stop records, a second apart; the user's name has the number.
    fn stops(&mut self, count: u64) {
        for number in 1..=count {
            let user = format!("user-{}@acme.example", self.next);
            let packet = stop(user.as_bytes());
            self.record(&Record { customer: "acme", contract: "acme-vpdn-1", packet: &packet, ..ours() });
            // A batch has room for some thirty.
            if number % 20 == 0 || number == count {
                self.journal.commit().unwrap();
            }
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        let received = MIDNIGHT + self.next * SECOND;
        self.next += 1;
        self.journal.append(received, self.next.into(), &Record { received, ..*record }).unwrap();
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> =
            entries.filter(|path| path.extension().is_some_and(|it| it == "journal")).collect();
        files.sort();
        files
    }

    fn export(&self, arguments: &[&str]) -> Output {
        journal(&[&["export", "--directory", self.path().to_str().unwrap()], arguments].concat())
    }

    /// The rows of a table that is exported without complaint, by column.
    fn rows(&self, arguments: &[&str], column: &str) -> Vec<String> {
        let output = self.export(arguments);
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]), "{}", text(&output));
        column_of(&output, column)
    }

    fn lines(&self) -> Vec<Json> {
        let output = self.export(&["--format", "jsonl"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let lines = str::from_utf8(&output.stdout).unwrap().lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What `list` says of each segment, and its exit code.
    fn list(&self) -> (Vec<String>, Option<i32>) {
        let output = journal(&["list", "--directory", self.path().to_str().unwrap()]);
        let lines = str::from_utf8(&output.stdout).unwrap().lines();
        (lines.skip(1).map(str::to_owned).collect(), output.status.code())
    }
}

fn journal(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("journal").args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn column_of(output: &Output, column: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
    let at = reader.headers().unwrap().iter().position(|name| name == column).unwrap();
    reader.records().map(|row| row.unwrap()[at].to_owned()).collect()
}

fn ours() -> Record<'static> {
    Record {
        received: 0,
        kind: Kind::Ended,
        source: "mobile",
        from: ([192, 0, 2, 1], 1646).into(),
        customer: "",
        contract: "",
        realm: "acme.example",
        packet: &[],
    }
}

fn stop(user: &[u8]) -> Vec<u8> {
    with(&[(attr::USER_NAME, user), (attr::ACCT_STATUS_TYPE, &[0, 0, 0, 2]), (attr::ACCT_INPUT_OCTETS, &[0, 0, 0, 9])])
}

fn with(attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let mut builder = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16]);
    for (number, value) in attributes {
        builder = builder.attribute(*number, value);
    }
    builder.build(&Secret::new("secret").unwrap()).unwrap()
}

fn users(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("user-{number}@acme.example")).collect()
}

#[test]
fn all_records_come_out_in_order_beside_the_writer_too() {
    let mut written = Written::new();
    written.stops(300);
    assert_eq!(written.rows(&[], "user"), users(0..300));
    written.stops(150);
    assert_eq!(written.rows(&[], "user"), users(0..450));
    assert!(written.segments().len() >= 2);
    let Written { at, journal, .. } = written;
    journal.close().unwrap();
    let output = self::journal(&["export", "--directory", at.path().to_str().unwrap()]);
    assert_eq!(column_of(&output, "user"), users(0..450));
}

#[test]
fn a_time_is_within_from_its_beginning_and_up_to_its_end() {
    let mut written = Written::new();
    written.stops(60);
    for (arguments, expected) in [
        (&["--from", "2026-11-27T09:00:10+09:00"][..], 10..60),
        (&["--from", "2026-11-27T00:00:10Z", "--to", "2026-11-27T00:00:12Z"], 10..12),
        (&["--from", "1795737605", "--to", "1795737606"], 5..6),
        (&["--to", "2026-11-27"], 0..0),
        (&["--from", "2026-11-28"], 0..0),
    ] {
        assert_eq!(written.rows(arguments, "user"), users(expected), "{arguments:?}");
    }
    assert_eq!(written.rows(&["--to", "1795737601"], "received"), ["2026-11-27T00:00:00.000Z"]);
}

#[test]
fn records_are_chosen_by_customer_contract_and_network() {
    let mut written = Written::new();
    let names =
        [("acme", "acme-1", "mobile"), ("acme", "acme-2", "fixed"), ("umbrella", "u-1", "mobile"), ("", "", "fixed")];
    for (customer, contract, source) in names {
        let user = format!("{customer}/{contract}/{source}");
        written.record(&Record { customer, contract, source, packet: &stop(user.as_bytes()), ..ours() });
    }
    written.journal.commit().unwrap();
    for (arguments, expected) in [
        (&["--customer", "acme"][..], &["acme/acme-1/mobile", "acme/acme-2/fixed"][..]),
        (&["--customer", "acme", "--network", "fixed"], &["acme/acme-2/fixed"]),
        (&["--contract", "u-1"], &["umbrella/u-1/mobile"]),
        (&["--customer", ""], &["//fixed"]),
        (&["--customer", "nobody"], &[]),
    ] {
        assert_eq!(written.rows(arguments, "user"), expected, "{arguments:?}");
    }
}

#[test]
fn json_lines_have_every_attribute_and_where_the_record_came_from() {
    let mut written = Written::new();
    let plan = [0, 0, 0x7e, 0xd9, 1, 6, 0, 0, 0, 1];
    let packet = with(&[(attr::USER_NAME, b"alice"), (attr::ACCT_STATUS_TYPE, &[0, 0, 0, 1]), (26, &plan)]);
    written.record(&Record { customer: "acme", kind: Kind::Waiting, packet: &packet, ..ours() });
    written.journal.commit().unwrap();
    let lines = written.lines();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["received"], &line["kind"]), (&"2026-11-27T00:00:00.000Z".into(), &"waiting".into()));
    assert_eq!((&line["network"], &line["from"]), (&"mobile".into(), &"192.0.2.1:1646".into()));
    assert_eq!((&line["position"], &line["status"]), (&1.into(), &"Start".into()));
    assert_eq!(line["identity"], format!("{:032x}", 1));
    let attributes = &line["attributes"];
    assert_eq!(attributes["User-Name"], "alice");
    assert_eq!(attributes["Acct-Status-Type"], serde_json::json!({"value": 1, "name": "Start"}));
    assert_eq!(attributes["Vendor-32473-Attr-1"], "0x00000001");
}

#[test]
fn a_nodes_documents_say_where_the_journal_is_and_how_attributes_are_called() {
    let mut written = Written::new();
    let plan = [0, 0, 0x7e, 0xd9, 1, 6, 0, 0, 0, 1];
    written.record(&Record { packet: &with(&[(26, &plan)]), ..ours() });
    written.journal.commit().unwrap();
    let documents = Documents::new();
    documents.write_node(&format!("[journal]\ndirectory = \"{}\"\n", written.path().display()));
    let node = fs::read_to_string(documents.node_file()).unwrap();
    fs::write(documents.node_file(), node.replace("workers = 2\n", "workers = 2\ndictionaries = \"dictionaries\"\n"))
        .unwrap();
    fs::create_dir(documents.path().join("dictionaries")).unwrap();
    let dictionary = "VENDOR Example 32473\nBEGIN-VENDOR Example\nATTRIBUTE Example-Plan 1 integer\n\
                      VALUE Example-Plan Gold 1\nEND-VENDOR Example\n";
    fs::write(documents.path().join("dictionaries/example.dictionary"), dictionary).unwrap();
    let config = documents.path().to_str().unwrap();
    let output = journal(&["export", "--config", config, "--format", "jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let line: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["attributes"]["Example-Plan"], serde_json::json!({"value": 1, "name": "Gold"}));
    assert!(text(&journal(&["list", "--config", config])).contains("00000000000000000001.journal"));
}

#[test]
fn what_a_nas_sends_reaches_no_terminal_as_it_is() {
    let mut written = Written::new();
    let hostile = b"=cmd|' /C calc'!A0\r\n\x1b]0;x\x07\xff\xc2\x9b2J\xe2\x80\xae";
    written.record(&Record { packet: &stop(hostile), ..ours() });
    written.journal.commit().unwrap();
    for format in ["csv", "jsonl"] {
        let output = written.export(&["--format", format]);
        let shown = str::from_utf8(&output.stdout).unwrap();
        let kept = shown.chars().filter(|it| !matches!(it, '\r' | '\n')).collect::<String>();
        assert!(!kept.contains(|it: char| it.is_control() || it == '\u{202e}'), "{shown:?}");
        assert_eq!(shown.lines().count(), if format == "csv" { 2 } else { 1 });
    }
    assert!(written.rows(&[], "user")[0].starts_with("'=cmd|' /C calc'!A0\\x0d\\x0a\\x1b]0;x\\x07\\xff\\xc2\\x9b2J"));
}

#[test]
fn damage_is_told_and_all_other_records_come_out() {
    let mut written = Written::new();
    written.stops(400);
    let file = written.segments()[0].clone();
    let mut octets = fs::read(&file).unwrap();
    octets[10_000..10_400].fill(0xEE);
    fs::write(&file, octets).unwrap();
    let output = written.export(&[]);
    assert_eq!(output.status.code(), Some(3));
    let told = str::from_utf8(&output.stderr).unwrap();
    assert!(told.contains(" of 00000000000000000001.journal cannot be read: records are missing"), "{told}");
    assert!(told.contains("1 place cannot be read"), "{told}");
    let rest = column_of(&output, "user");
    assert!(rest.len() >= 380 && rest.len() < 400, "{}", rest.len());
    assert!(told.contains(&format!("{} records exported", rest.len())), "{told}");
    assert_eq!((rest.first(), rest.last()), (users(0..1).first(), users(399..400).first()));
    let (rows, exit) = written.list();
    assert_eq!(exit, Some(3));
    assert!(rows[0].ends_with(" octets in 1 place"), "{rows:?}");
    assert!(rows[1..].iter().all(|row| row.ends_with("  -")), "{rows:?}");
}

#[test]
fn the_list_has_a_row_for_each_segment() {
    let mut written = Written::new();
    written.stops(400);
    written.record(&Record { kind: Kind::Waiting, packet: &stop(b"late"), ..ours() });
    written.journal.commit().unwrap();
    let (rows, exit) = written.list();
    assert_eq!(exit, Some(0));
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.split_whitespace().collect()).collect();
    let files: Vec<String> =
        written.segments().iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(cells.iter().map(|cells| cells[0]).collect::<Vec<_>>(), files);
    let count = |at: usize| cells.iter().map(|cells| cells[at].parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!((count(3), count(5)), (401, 1));
    let sizes: u64 = written.segments().iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(count(4), sizes);
    assert_eq!((cells[0][1], cells.last().unwrap()[2]), ("2026-11-27T00:00:00.000Z", "2026-11-27T00:06:40.000Z"));
    let position = |cells: &[&str]| cells[0].split('.').next().unwrap().parse::<u64>().unwrap();
    for pair in cells.windows(2) {
        assert!(pair[0][2] < pair[1][1] && position(&pair[0]) < position(&pair[1]), "{rows:?}");
    }
}

#[test]
fn whoever_has_read_enough_ends_it_quietly() {
    let mut written = Written::new();
    written.stops(2_000);
    let mut command = Command::new(PROGRAM);
    command.args(["journal", "export", "--directory"]).arg(written.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut some = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]));
}

#[test]
fn what_cannot_be_done_is_said_with_a_remedy() {
    let at = tempfile::tempdir().unwrap();
    let (empty, nowhere) = (at.path().to_str().unwrap(), at.path().join("nowhere"));
    let nowhere = nowhere.to_str().unwrap();
    for (arguments, exit, said) in [
        (&["export", "--directory", nowhere][..], 1, "nothing has been recorded there yet"),
        (&["list", "--directory", nowhere], 1, "nothing has been recorded there yet"),
        (&["list", "--directory", empty], 0, "holds no segment of a journal"),
        (&["list", "--config", nowhere], 2, "name its directory with --directory"),
        (&["export", "--directory", empty, "--from", "yesterday"], 2, "write 2026-11-27T09:00:00+09:00"),
        (
            &["export", "--directory", empty, "--from", "2026-11-27", "--to", "2026-11-27"],
            2,
            "--to is not after --from",
        ),
        (&["export", "--directory", empty, "--config", empty], 2, "cannot be used with"),
    ] {
        let output = journal(arguments);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", text(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{arguments:?}: {}", text(&output));
    }
}
