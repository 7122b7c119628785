//! Accept, reject, withdraw, confirm, start, change, suspend, resume.

use jiff::{Timestamp, civil::Date};

use super::{Checked, Now};
use crate::{
    contract::Contract,
    event::Part,
    prerequisites::prerequisites,
    refusal::{Refusal, Rule},
    terms::Kind,
};

impl Now<'_> {
    pub(super) fn accepted(&self, name: &str, on: Date, test_from: Option<Date>) -> Checked {
        let article = "Art. 10";
        let contract = self.contract(name)?;
        if contract.accepted.is_some() || contract.last_day().is_some() {
            return Err(self.wrong_state(article, contract, "accepted"));
        }
        self.not_future(article, name, "it is accepted", on)?;
        self.not_before(article, name, "it is accepted", on, ("it was applied for", contract.applied))?;
        let Some(test_from) = test_from else { return Ok(()) };
        let what = "its test window begins";
        self.not_before(article, name, what, test_from, ("it is accepted", on))?;
        self.not_before(article, name, what, test_from, in_force(contract, test_from))
    }

    pub(super) fn rejected(&self, name: &str, on: Date) -> Checked {
        let article = "Art. 10";
        let contract = self.contract(name)?;
        if contract.accepted.is_some() || contract.last_day().is_some() {
            return Err(self.wrong_state(article, contract, "rejected"));
        }
        self.not_future(article, name, "it is rejected", on)?;
        self.not_before(article, name, "it is rejected", on, ("it was applied for", contract.applied))
    }

    pub(super) fn withdrawn(&self, name: &str, on: Date) -> Checked {
        let article = "Art. 10";
        let contract = self.contract(name)?;
        if contract.last_day().is_some() {
            return Err(self.wrong_state(article, contract, "withdrawn"));
        }
        self.not_future(article, name, "it is withdrawn", on)?;
        self.not_before(article, name, "it is withdrawn", on, ("it was applied for", contract.applied))?;
        match contract.billing_start {
            // Whatever day the customer named: what has been served is not undone.
            Some(start) if start <= self.today => {
                let message = format!("it cannot be withdrawn on {on}: billing has started on {start}");
                Err(Refusal::new(Rule::Life, "Art. 9", name, message, "give notice: cancel it"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn confirmed(&self, name: &str, prerequisite: &str, at: Timestamp) -> Checked {
        let contract = self.contract(name)?;
        let refuse =
            |message: String, remedy: String| Err(Refusal::new(Rule::Prerequisites, "Art. 5.6", name, message, remedy));
        if contract.last_day().is_some_and(|last| last < self.today) {
            return Err(self.wrong_state("Art. 5.6", contract, "completed"));
        }
        // What a scheduled document will ask for can be confirmed before.
        let asked: Vec<String> = contract
            .agreed()
            .filter(|(days, _)| days.until.is_none_or(|until| until >= self.today))
            .flat_map(|(_, terms)| prerequisites(terms))
            .map(|asked| asked.name)
            .collect();
        if !asked.iter().any(|name| name == prerequisite) {
            let mut names = asked;
            names.dedup();
            return refuse(
                format!("{prerequisite} is no prerequisite of it"),
                format!("name one of {}", names.join(", ")),
            );
        }
        if let Some(confirmed) = contract.confirmed.get(prerequisite) {
            return refuse(format!("{prerequisite} was confirmed at {confirmed}"), "leave it at that".to_owned());
        }
        if at > self.at {
            return refuse(
                format!("{prerequisite} is confirmed at {at}, which is to come"),
                "confirm it when it is seen to be met".to_owned(),
            );
        }
        Ok(())
    }

    pub(super) fn started(&self, name: &str, part: Part, on: Date) -> Checked {
        let contract = self.contract(name)?;
        match part {
            Part::Basic => self.contract_started(contract, on),
            Part::Option => self.option_started(contract, on),
        }
    }

    fn contract_started(&self, contract: &Contract, on: Date) -> Checked {
        let (article, name) = ("Art. 3", &contract.name);
        let Some(accepted) = contract.accepted.filter(|_| contract.last_day().is_none()) else {
            return Err(self.wrong_state(article, contract, "started"));
        };
        if let Some(start) = contract.billing_start {
            let message = format!("its billing start date is {start} already");
            return Err(Refusal::new(Rule::Life, article, name, message, "leave it at that"));
        }
        self.not_before(article, name, "billing starts", on, ("it is accepted", accepted.on))?;
        self.not_before(article, name, "billing starts", on, in_force(contract, on))?;
        let test = accepted.test_from.unwrap_or(on);
        self.not_before(article, name, "billing starts", on, ("its test window begins", test))
    }

    fn option_started(&self, contract: &Contract, on: Date) -> Checked {
        let (article, name) = ("Art. 8.3", &contract.name);
        let refuse =
            |message: &str, remedy: &str| Err(Refusal::new(Rule::LoadBalancing, article, name, message, remedy));
        let Some(option) = contract.options.last().filter(|option| option.dropped.is_none()) else {
            return refuse("no document applies for its option", "apply a document with the option first");
        };
        if let Some(start) = option.billing_start {
            return refuse(&format!("its option's billing start date is {start} already"), "leave it at that");
        }
        let Some(start) = contract.billing_start else {
            return refuse("its option cannot start before the contract", "start the contract first");
        };
        let what = "billing of its option starts";
        self.not_before(article, name, what, on, ("that of the contract", start))?;
        self.not_before(article, name, what, on, ("its document is in force", option.from))?;
        match contract.last_day() {
            Some(last) if last < on => {
                refuse(&format!("its option starts on {on}, and its last day is {last}"), "leave the option out")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn changed(&self, name: &str, on: Date, from: Date, accounts: (u32, u32)) -> Checked {
        let article = "Art. 7(1)";
        let contract = self.contract(name)?;
        let refuse =
            |message: String, remedy: String| Err(Refusal::new(Rule::Accounts, article, name, message, remedy));
        if !matches!(contract.kind(), Some(Kind::Group { .. })) {
            return refuse(
                "the number of accounts can be changed of a group contract only".to_owned(),
                "name a group contract".to_owned(),
            );
        }
        let Some(accepted) = contract.accepted.filter(|_| contract.last_day().is_none_or(|last| last >= from)) else {
            return Err(self.wrong_state(article, contract, "changed"));
        };
        let (before, number) = accounts;
        if number < 1 {
            return refuse(format!("{number} accounts are less than one"), "name one account or more".to_owned());
        }
        self.not_future(article, name, "its change is accepted", on)?;
        self.not_before(article, name, "its change is accepted", on, ("it is accepted", accepted.on))?;
        self.not_before(article, name, "its change begins", from, ("that is accepted", on))?;
        let in_force = contract.accounts_on(from).unwrap_or(0);
        if before != in_force {
            return refuse(
                format!("it is changed from {before} accounts, and {in_force} are in force on {from}"),
                format!("change it from {in_force}"),
            );
        }
        if before == number {
            return refuse(
                format!("{number} accounts are in force already"),
                "change nothing: then no fee is owed either".to_owned(),
            );
        }
        Ok(())
    }

    pub(super) fn suspended(&self, name: &str, from: Date) -> Checked {
        let article = "general regulation";
        let contract = self.contract(name)?;
        let used = contract.used().is_some_and(|days| days.contains(from));
        if !used {
            return Err(self.wrong_state(article, contract, &format!("suspended from {from} on")));
        }
        if let Some(suspended) = contract.suspensions.last().filter(|days| days.until.is_none_or(|until| until >= from))
        {
            let message = format!("it is suspended already, {suspended}");
            return Err(Refusal::new(Rule::Life, article, name, message, "resume it first"));
        }
        self.not_before(article, name, "its suspension begins", from, ("today", self.today))
    }

    pub(super) fn resumed(&self, name: &str, from: Date) -> Checked {
        let article = "general regulation";
        let contract = self.contract(name)?;
        let Some(suspended) = contract.suspensions.last().filter(|days| days.until.is_none()) else {
            return Err(self.wrong_state(article, contract, "resumed"));
        };
        self.not_before(article, name, "it is resumed", from, ("its suspension begins", suspended.from))?;
        self.not_before(article, name, "it is resumed", from, ("today", self.today))
    }

    pub(super) fn accounts(&self, name: &str) -> Checked {
        let contract = self.contract(name)?;
        if matches!(contract.kind(), Some(Kind::Group { .. })) {
            return Ok(());
        }
        let remedy = "name a group contract";
        Err(Refusal::new(Rule::Accounts, "Art. 1", name, "only a group contract has accounts", remedy))
    }
}

/// The first day of the contract's first document, after which `day` has to be.
fn in_force(contract: &Contract, day: Date) -> (&'static str, Date) {
    ("its document is in force", contract.terms.first().map_or(day, |agreed| agreed.from))
}
