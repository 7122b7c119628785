//! Money: statements, months that are closed, incidents and the credit for them, by command.

use crate::common::office::{Office, day, month_ago, today};
use jiff::{ToSpan as _, civil::Date};
use serde_json::Value;

/// Served since the first day of the month before the last.
fn office() -> Office {
    Office::serving_since(month_ago(2))
}

fn month(of: Date) -> String {
    of.strftime("%Y-%m").to_string()
}

fn lines(statement: &Value, what: &str) -> Vec<(String, i64)> {
    let lines = statement["lines"].as_array().unwrap().iter().filter(|line| line["what"] == what);
    lines.map(|line| (line["contract"].as_str().unwrap().to_owned(), line["amount"].as_i64().unwrap())).collect()
}

fn owned(lines: &[(&str, i64)]) -> Vec<(String, i64)> {
    lines.iter().map(|(contract, amount)| ((*contract).to_owned(), *amount)).collect()
}

fn close(office: &Office, customer: &str, of: Date) -> String {
    let output = office.run(&["statement", customer, "--month", &month(of), "--close"]);
    assert_eq!(output.status.code(), Some(0), "{}", crate::common::text(&output));
    String::from_utf8(output.stderr).unwrap()
}

/// An instant of a day, as commands take it.
fn at(of: Date, time: &str) -> String {
    format!("{of}T{time}+09:00")
}

#[test]
fn the_first_month_has_initial_and_monthly_fees_of_contracts_and_options_apart() {
    let office = office();
    let first = office.statement("fuji", month_ago(2));
    assert_eq!(lines(&first, "initial"), owned(&[("fuji-vpdn", 50_000)]));
    assert_eq!(lines(&first, "monthly"), owned(&[("fuji-vpdn", 30_000), ("fuji-vpdn", 5_000)]));
    assert_eq!(
        (&first["subtotal"], &first["tax"]["amount"], &first["total"]),
        (&85_000.into(), &8_500.into(), &93_500.into()),
        "{first:#}"
    );
    let second = office.statement("fuji", month_ago(1));
    assert_eq!((lines(&second, "initial").len(), &second["subtotal"]), (0, &35_000.into()), "{second:#}");
    for line in first["lines"].as_array().unwrap() {
        assert!(line["article"].as_str().unwrap().starts_with("Art. 10"), "{line:#}");
    }
}

#[test]
fn a_statement_is_text_json_or_csv_with_the_same_amounts() {
    let office = office();
    let statement =
        |format: &str| office.done(&["statement", "sakura", "--month", &month(month_ago(2)), "--format", format]);
    let text = office.done(&["statement", "sakura", "--month", &month(month_ago(2))]);
    assert_eq!(text, statement("text"));
    for words in ["Statement for Sakura Cable K.K. (sakura)", "Art. 10", "30,000", "total", "50,600"] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    let json: Value = serde_json::from_str(&statement("json")).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["customer", "format", "lines", "month", "regulation", "subtotal", "tax", "title", "total"]);
    assert_eq!(json["total"], 50_600);
    let csv = statement("csv");
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    let amount = table.headers().unwrap().iter().position(|name| name == "amount").unwrap();
    let sum: i64 = table.records().map(|row| row.unwrap()[amount].parse::<i64>().unwrap()).sum();
    assert_eq!(sum, 50_600, "{csv}");
}

#[test]
fn a_month_that_nobody_can_have_is_refused() {
    let office = office();
    for month in ["2026-13", "2026", "2026-11-01"] {
        let output = office.run(&["statement", "sakura", "--month", month]);
        assert_eq!(output.status.code(), Some(2), "{month}");
    }
}

#[test]
fn a_month_is_closed_once_and_in_its_order_and_not_before_it_is_over() {
    let office = office();
    let closing =
        |of: Date| ["statement".to_owned(), "sakura".to_owned(), "--month".to_owned(), month(of), "--close".to_owned()];
    let refused = |of: Date| {
        let arguments = closing(of);
        office.refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert!(refused(month_ago(0)).contains("not over"), "{}", refused(month_ago(0)));
    let said = refused(month_ago(1));
    assert!(said.contains(&format!("{} has lines and is still open", month(month_ago(2)))), "{said}");
    let before = office.history();
    let dry = office.run(&["statement", "sakura", "--month", &month(month_ago(2)), "--close", "--dry-run"]);
    assert_eq!((dry.status.code(), office.history()), (Some(0), before));
    assert_eq!(close(&office, "sakura", month_ago(2)), format!("{} of sakura is closed\n", month(month_ago(2))));
    let said = refused(month_ago(2));
    assert!(said.contains("closed"), "{said}");
    close(&office, "sakura", month_ago(1));
    assert!(office.done(&["get", "history", "--customer", "sakura"]).contains("of sakura closed"));
}

#[test]
fn a_closed_month_never_changes_and_what_becomes_known_later_is_a_correction_of_the_next_open_one() {
    let office = office();
    // A third contract, which ends in its first month: the notice is recorded when that month is closed.
    let first = office.statement("fuji", month_ago(2));
    let second = office.statement("fuji", month_ago(1));
    close(&office, "fuji", month_ago(2));
    close(&office, "fuji", month_ago(1));
    let last = month_ago(2).checked_add(31.days()).unwrap();
    office.done(&["cancel", "fuji-vpdn", "--arrived", &month_ago(2).checked_add(1.day()).unwrap().to_string()]);
    assert_eq!(office.contract("fuji-vpdn", None)["until"], last.to_string());
    assert_eq!(office.statement("fuji", month_ago(2)), first);
    assert_eq!(office.statement("fuji", month_ago(1)), second);
    let now = office.statement("fuji", month_ago(0));
    let corrections = lines(&now, "correction");
    assert!(!corrections.is_empty() && corrections.iter().all(|(_, amount)| *amount < 0), "{now:#}");
    assert!(lines(&now, "monthly").is_empty(), "{now:#}");
}

#[test]
fn what_ends_inside_its_minimum_term_is_settled_unless_general_regulation_28_is_the_ground() {
    let settled = |ground: &str| {
        let office = Office::serving_since(today());
        office.done(&["cancel", "fuji-vpdn", "--arrived", &today().to_string(), "--ground", ground]);
        let mut lines = lines(&office.statement("fuji", today().first_of_month()), "settlement");
        lines.extend(self::lines(&office.statement("fuji", month_ago(-1)), "settlement"));
        lines
    };
    assert!(settled("notice").is_empty(), "thirty days after its arrival no term is left");
    for ground in ["28-2", "28-3"] {
        assert!(settled(ground).is_empty(), "{ground}");
    }
    let office = Office::serving_since(today());
    office.done(&["end", "fuji-vpdn", "--on", &today().to_string()]);
    let statement = office.statement("fuji", today().first_of_month());
    let next = office.statement("fuji", month_ago(-1));
    let all = [lines(&statement, "settlement"), lines(&next, "settlement")].concat();
    assert!(all.iter().all(|(_, amount)| *amount > 0) && !all.is_empty(), "{statement:#}\n{next:#}");
}

#[test]
fn the_operator_ends_by_general_regulation_28_after_a_notice_and_nothing_is_settled() {
    let settled = |ground: &[&str], said: &str| {
        let office = Office::serving_since(today());
        office.done(&["cancel", "fuji-vpdn", "--arrived", &today().to_string()]);
        let end = office.done(&[&["end", "fuji-vpdn", "--on", &day(1).to_string()], ground].concat());
        assert_eq!(end, format!("fuji-vpdn is ended by {said}: its last day is {}\n", day(1)));
        let history = office.done(&["get", "history", "--customer", "fuji"]);
        assert!(history.contains(&format!("fuji-vpdn ended by {said} on {}", day(1))), "{history}");
        let months = [month_ago(0), month_ago(-1)];
        months.iter().flat_map(|of| lines(&office.statement("fuji", *of), "settlement")).count()
    };
    assert_eq!(settled(&["--ground", "28-2"], "general regulation 28(2)"), 0);
    assert_eq!(settled(&["--ground", "28-3"], "general regulation 28(3)"), 0);
    assert!(settled(&[], "the operator") > 0);
    assert!(settled(&["--ground", "operator"], "the operator") > 0);
}

#[test]
fn an_incident_goes_from_the_report_to_a_credit_in_the_statement() {
    let office = office();
    let (known, ended) = (at(day(-5), "09:00:00"), at(day(-2), "09:00:00"));
    let said = office.done(&["incident", "open", "power", "--contract", "sakura-group", "--known", &known]);
    assert!(said.starts_with("power is open, known at "), "{said}");
    // The customer had called an hour before that.
    office.done(&["incident", "report", "power", "--known", &at(day(-5), "08:00:00")]);
    let incident = |office: &Office| office.json(&["get", "incidents"])["incidents"][0].clone();
    assert_eq!(
        (&incident(&office)["state"], &incident(&office)["affects"][0]),
        (&"open".into(), &"sakura-group".into())
    );
    assert_eq!(incident(&office)["known"], format!("{}T23:00:00Z", day(-6)));
    let said = office.refused(&["claim", "power", "sakura-group"]);
    assert!(said.contains("incident power is not closed") && said.contains("Art. 12"), "{said}");
    office.done(&["incident", "close", "power", "--ended", &ended, "--fault", "operator"]);
    assert_eq!(incident(&office)["state"], "closed: the operator's fault");
    let credit = incident(&office)["credit"][0].as_str().unwrap().to_owned();
    assert!(credit.starts_with(&format!("sakura-group: 3 days, to be claimed from {} to ", day(-4))), "{credit}");
    let month = today().first_of_month();
    assert!(lines(&office.statement("sakura", month), "credit").is_empty(), "nobody has claimed it yet");
    let said = office.done(&["claim", "power", "sakura-group"]);
    assert_eq!(said, format!("power is claimed for sakura-group as of {}\n", today()));
    // ⌊73 h / 24 h⌋ = 3 days; ⌊3 × 10,000 ÷ 30⌋ = 1,000 yen.
    let credits: Vec<_> =
        [month_ago(1), month].iter().flat_map(|month| lines(&office.statement("sakura", *month), "credit")).collect();
    assert_eq!(credits, owned(&[("sakura-group", -1_000)]));
    let said = office.refused(&["claim", "power", "sakura-group"]);
    assert!(said.contains("was claimed on"), "{said}");
    let said = office.refused(&["claim", "power", "acme-proxy"]);
    assert!(said.contains("does not affect it"), "{said}");
    assert!(office.done(&["get", "incidents"]).contains("3 days, claimed on"));
}

#[test]
fn what_was_confirmed_afterwards_has_no_credit_for_the_time_before() {
    let credit = |confirmed: &[&str]| {
        let office = Office::new();
        let since = month_ago(2).to_string();
        office.done(&["apply", "--applied", &since, "-f", "sakura.toml"]);
        office.done(&["accept", "--on", &since, "--customer", "sakura"]);
        office.done(&[&["confirm", "--all", "--customer", "sakura"], confirmed].concat());
        office.done(&["start", "--on", &since, "--customer", "sakura"]);
        let (known, ended) = (at(day(-5), "09:00:00"), at(day(-2), "09:00:00"));
        office.done(&["incident", "open", "power", "--contract", "sakura-group", "--known", &known]);
        office.done(&["incident", "close", "power", "--ended", &ended, "--fault", "operator"]);
        office.run(&["claim", "power", "sakura-group"])
    };
    let refused = credit(&[]);
    assert_eq!(refused.status.code(), Some(2), "{}", crate::common::text(&refused));
    assert!(crate::common::text(&refused).contains("0 h 0 min that count"), "{}", crate::common::text(&refused));
    assert_eq!(credit(&["--on", &day(-5).to_string()]).status.code(), Some(0));
}

#[test]
fn a_second_less_than_a_day_is_worth_nothing_and_so_is_what_was_not_the_operators_fault() {
    let office = office();
    let since = at(day(-5), "09:00:00");
    for (name, until, fault) in [
        ("short", at(day(-4), "08:59:59"), "operator"),
        ("theirs", at(day(-2), "09:00:00"), "customer"),
        ("limit", at(day(-2), "09:00:00"), "limit"),
    ] {
        office.done(&["incident", "open", name, "--contract", "acme-proxy", "--known", &since]);
        office.done(&["incident", "close", name, "--ended", &until, "--fault", fault]);
        let said = office.refused(&["claim", name, "acme-proxy"]);
        assert!(said.contains("Art. 12"), "{said}");
    }
    let incidents = office.done(&["get", "incidents"]);
    assert!(incidents.contains("acme-proxy: less than 24 hours in a row: no credit (Art. 12)"), "{incidents}");
    let said = office.refused(&["incident", "open", "short", "--contract", "acme-proxy"]);
    assert!(said.contains("there is an incident short already"), "{said}");
    let said =
        office.refused(&["incident", "open", "later", "--contract", "acme-proxy", "--known", &at(day(2), "00:00:00")]);
    assert!(said.contains("to come"), "{said}");
    let said = office.refused(&["incident", "close", "short", "--fault", "operator"]);
    assert!(said.contains("incident short is closed"), "{said}");
}
