//! A statement as text, as JSON and as CSV.

use crate::money_common::{account, claim, contract, ended, freeze, option, stated};
use jiff::civil::date;
use sekisho_regulation::{
    event::{Event, Ground},
    money::{Account, Billed, CHOICES, Statement},
    terms::Fees,
};

/// A month with one line of each kind.
fn december() -> Statement {
    let fees = vec![(date(2026, 10, 1), Fees { initial: 5_000, monthly: 31_000, change: 3_000 })];
    let basic = Billed { fees: fees.clone(), ..contract(date(2026, 10, 1), 0) };
    let mut account = account([basic]);
    freeze(&mut account, date(2026, 10, 1));
    freeze(&mut account, date(2026, 11, 1));
    let basic = &mut account.parts[0];
    basic.changes.extend([date(2026, 11, 20), date(2026, 12, 10)]);
    basic.credits.push(claim("inc-1", date(2026, 11, 3), 3 * 86_400, date(2026, 12, 9)));
    let option = Billed { fees, ..ended(option(date(2026, 12, 1), 0), date(2026, 12, 29), Ground::Operator) };
    account.parts.push(option);
    stated(&account, 2026, 12)
}

#[test]
fn as_text_every_line_has_its_article_and_amounts_are_aligned() {
    let text = december().to_string();
    let (statement, choices) = text.split_once("\nWhere the regulation is silent [C]:\n").unwrap();
    assert_eq!(statement, TEXT);
    let named: Vec<_> = choices.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(
        named,
        [
            "- partial-months (Art. 10)",
            "- still-billed (Art. 10)",
            "- credit-fee (Art. 12, annex 3)",
            "- credit-bound (Art. 12, annex 3)",
            "- credit-month (Art. 12)",
            "- settlement-days (Art. 11, annex 2)",
            "- settlement-grounds (Art. 11)",
            "- nothing-owed (Art. 10)",
            "- tax-on-subtotal (Art. 10)",
        ]
    );
}

const TEXT: &str = "\
Statement for アクメ株式会社 (acme), 2026-12
Service regulation of 令和元年 12 月 1 日 (2019-12-01). Amounts in yen.

contract     part    what        article               amount  detail
acme-vpdn-1  basic   monthly     Art. 10, annex 1.2    31,000  2026-12-01 to 2026-12-31
acme-vpdn-1  basic   change      Art. 10, annex 1.3     3,000  accepted on 2026-12-10
acme-vpdn-1  basic   credit      Art. 12, annex 3      -3,100  incident inc-1, from 2026-11-03: 3 × 24 hours, each 31,000 / 30
acme-vpdn-1  option  initial     Art. 10, annex 1.1     5,000  accepted on 2026-12-01
acme-vpdn-1  option  monthly     Art. 10, annex 1.2    29,000  2026-12-01 to 2026-12-29: 29 of 31 days of 31,000
acme-vpdn-1  option  settlement  Art. 11.2, annex 2.2   2,000  2026-12-30 to 2026-12-31: 2 of 31 days of 31,000; ended on 2026-12-29, inside the minimum term
acme-vpdn-1  basic   correction  Art. 10, annex 1.3     3,000  change of 2026-11: 3,000 instead of 0
subtotal                                               69,900
tax 10 %                                                6,990
total                                                  76,890
";

#[test]
fn as_json_amounts_are_numbers_and_days_are_dates() {
    let mut statement = december();
    let credit = statement.lines[2].clone();
    let of_option = statement.lines[5].clone();
    let correction = statement.lines[6].clone();
    statement.lines = vec![credit, of_option, correction];
    assert_eq!(serde_json::to_string_pretty(&statement).unwrap(), JSON);
}

const JSON: &str = r#"{
  "format": 1,
  "customer": "acme",
  "title": "アクメ株式会社",
  "month": "2026-12-01",
  "regulation": "令和元年 12 月 1 日 (2019-12-01)",
  "lines": [
    {
      "contract": "acme-vpdn-1",
      "kind": "vpdn D",
      "part": "basic",
      "what": "credit",
      "article": "Art. 12, annex 3",
      "days": null,
      "quantity": 3,
      "unit": 31000,
      "amount": -3100,
      "incident": "inc-1",
      "corrects": null,
      "note": "incident inc-1, from 2026-11-03: 3 × 24 hours, each 31,000 / 30"
    },
    {
      "contract": "acme-vpdn-1",
      "kind": "vpdn D",
      "part": "option",
      "what": "settlement",
      "article": "Art. 11.2, annex 2.2",
      "days": {
        "from": "2026-12-30",
        "to": "2026-12-31",
        "of": 31
      },
      "quantity": 2,
      "unit": 31000,
      "amount": 2000,
      "incident": null,
      "corrects": null,
      "note": "2026-12-30 to 2026-12-31: 2 of 31 days of 31,000; ended on 2026-12-29, inside the minimum term"
    },
    {
      "contract": "acme-vpdn-1",
      "kind": "vpdn D",
      "part": "basic",
      "what": "correction",
      "article": "Art. 10, annex 1.3",
      "days": null,
      "quantity": 1,
      "unit": 3000,
      "amount": 3000,
      "incident": null,
      "corrects": {
        "month": "2026-11-01",
        "what": "change",
        "billed": 0,
        "owed": 3000
      },
      "note": "change of 2026-11: 3,000 instead of 0"
    }
  ],
  "subtotal": 69900,
  "tax": {
    "percent": 10,
    "amount": 6990
  },
  "total": 76890
}"#;

#[test]
fn as_csv_the_amounts_add_up_to_the_total() {
    let csv = december().to_csv().unwrap();
    assert_eq!(csv, CSV.replace('\n', "\r\n"));
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    let amounts = table.records().map(|row| row.unwrap()[13].parse::<i64>().unwrap());
    assert_eq!(amounts.sum::<i64>(), 76_890);
}

const CSV: &str = r#"customer,month,regulation,contract,kind,part,what,article,from,to,quantity,of,unit,amount,incident,corrects_month,corrects_what,note
acme,2026-12,令和元年 12 月 1 日 (2019-12-01),acme-vpdn-1,vpdn D,basic,monthly,"Art. 10, annex 1.2",2026-12-01,2026-12-31,31,31,31000,31000,,,,2026-12-01 to 2026-12-31
acme,2026-12,令和元年 12 月 1 日 (2019-12-01),acme-vpdn-1,vpdn D,basic,change,"Art. 10, annex 1.3",,,1,,3000,3000,,,,accepted on 2026-12-10
acme,2026-12,令和元年 12 月 1 日 (2019-12-01),acme-vpdn-1,vpdn D,basic,credit,"Art. 12, annex 3",,,3,,31000,-3100,inc-1,,,"incident inc-1, from 2026-11-03: 3 × 24 hours, each 31,000 / 30"
acme,2026-12,令和元年 12 月 1 日 (2019-12-01),acme-vpdn-1,vpdn D,option,initial,"Art. 10, annex 1.1",,,1,,5000,5000,,,,accepted on 2026-12-01
acme,2026-12,令和元年 12 月 1 日 (2019-12-01),acme-vpdn-1,vpdn D,option,monthly,"Art. 10, annex 1.2",2026-12-01,2026-12-29,29,31,31000,29000,,,,"2026-12-01 to 2026-12-29: 29 of 31 days of 31,000"
acme,2026-12,令和元年 12 月 1 日 (2019-12-01),acme-vpdn-1,vpdn D,option,settlement,"Art. 11.2, annex 2.2",2026-12-30,2026-12-31,2,31,31000,2000,,,,"2026-12-30 to 2026-12-31: 2 of 31 days of 31,000; ended on 2026-12-29, inside the minimum term"
acme,2026-12,令和元年 12 月 1 日 (2019-12-01),acme-vpdn-1,vpdn D,basic,correction,"Art. 10, annex 1.3",,,1,,3000,3000,,2026-11,change,"change of 2026-11: 3,000 instead of 0"
acme,2026-12,令和元年 12 月 1 日 (2019-12-01),,,,tax,,,,,,,6990,,,,10 % of 69900
"#;

#[test]
fn a_month_without_lines_is_a_statement_of_nothing() {
    let empty = stated(&Account { title: None, ..account([]) }, 2026, 12);
    let text = empty.to_string();
    let (statement, _) = text.split_once("\nWhere").unwrap();
    assert_eq!(statement, EMPTY);
    assert_eq!(empty.to_csv().unwrap().lines().count(), 2, "header and tax");
}

const EMPTY: &str = "\
Statement for acme, 2026-12
Service regulation of 令和元年 12 月 1 日 (2019-12-01). Amounts in yen.

contract  part  what  article  amount  detail
subtotal                            0
tax 10 %                            0
total                               0
";

#[test]
fn a_table_holds_no_formula_and_negative_amounts_stay_numbers() {
    let mut billed = contract(date(2026, 1, 1), 30_000);
    billed.contract = "=HYPERLINK(\"http://192.0.2.1\")".to_owned();
    billed.kind = "@SUM(A1)".to_owned();
    billed.credits.push(claim("-2+3", date(2026, 12, 2), 86_400, date(2026, 12, 9)));
    let csv = stated(&Account { customer: "+81\r\n".to_owned(), ..account([billed]) }, 2026, 12).to_csv().unwrap();
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<_> = table.records().map(|row| row.unwrap()).collect();
    let credit = &rows[1];
    assert_eq!(&credit[0], "'+81\\u{d}\\u{a}");
    assert_eq!(&credit[3], "'=HYPERLINK(\"http://192.0.2.1\")");
    assert_eq!(&credit[4], "'@SUM(A1)");
    assert_eq!((&credit[13], &credit[14]), ("-1000", "'-2+3"));
    for (row, column) in rows.iter().flat_map(|row| row.iter().enumerate().map(move |(column, _)| (row, column))) {
        let formula = row[column].starts_with(['=', '+', '-', '@', '\t', '\r']);
        assert!(!formula || column == 13, "{row:?}");
    }
}

#[test]
fn a_text_is_lines_of_what_can_be_seen_whatever_somebody_is_called() {
    let mut billed = contract(date(2026, 1, 1), 30_000);
    billed.contract = "a\u{1b}[2J\n契約".to_owned();
    let title = Some("アク\u{202e}メ\r".to_owned());
    let text = stated(&Account { title, ..account([billed]) }, 2026, 12).to_string();
    assert!(text.chars().all(|it| it == '\n' || !it.is_control()), "{text:?}");
    assert!(text.starts_with("Statement for アク\\u{202e}メ\\u{d} (acme), 2026-12\n"), "{text}");
    assert!(text.contains("\na\\u{1b}[2J\\u{a}契約  basic  monthly  "), "wide characters take two columns: {text}");
    assert!(text.contains("\ncontract             part   what     "), "{text}");
}

#[test]
fn no_format_promises_anything() {
    let statement = december();
    let json = serde_json::to_string(&statement).unwrap();
    let choices = CHOICES.map(|choice| choice.what).concat();
    for text in [statement.to_string(), json, statement.to_csv().unwrap(), choices] {
        for word in ["warrant", "guarant", "availab", "uptime", "SLA", "保証"] {
            assert!(!text.to_lowercase().contains(&word.to_lowercase()), "{word} (Art. 13): {text}");
        }
    }
}

#[test]
fn a_statement_goes_through_the_history_unchanged() {
    let statement = december();
    let event = Event::MonthClosed { customer: "acme".to_owned(), month: date(2026, 12, 1), statement };
    let recorded = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&recorded).unwrap(), event);
}

#[test]
fn every_choice_has_a_name_of_its_own() {
    let mut names = CHOICES.map(|choice| choice.name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CHOICES.len());
}
