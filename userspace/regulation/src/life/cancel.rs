//! Endings: by the customer's notice, and by the operator.

use jiff::civil::Date;

use super::{Checked, Now};
use crate::{
    choices::last_day,
    contract::Contract,
    event::{Ground, Part},
    refusal::{Refusal, Rule},
    state::State,
};

/// A notice of cancellation.
pub(super) struct Notice {
    pub(super) arrived: Date,
    pub(super) requested: Option<Date>,
    pub(super) ground: Ground,
}

impl Notice {
    fn last_day(&self) -> Date {
        last_day(self.ground, self.arrived, self.requested)
    }
}

impl Now<'_> {
    pub(super) fn cancelled(&self, name: &str, part: Part, notice: Notice, survivor: Option<&str>) -> Checked {
        let contract = self.contract(name)?;
        let article = match part {
            Part::Basic => "Art. 9",
            Part::Option => "Art. 8.4",
        };
        if notice.ground == Ground::Operator {
            let message = "a notice is the customer's, and the ground is the operator's";
            let remedy = "end the contract as the operator, or name the customer's ground";
            return Err(Refusal::new(Rule::Cancellation, article, name, message, remedy));
        }
        self.not_future(article, name, "its notice arrived", notice.arrived)?;
        match part {
            Part::Basic if survivor.is_some() => {
                let message = "an LNS that remains is named, and the whole contract is cancelled";
                let remedy = "cancel its option instead, or name no LNS";
                Err(Refusal::new(Rule::Cancellation, article, name, message, remedy))
            }
            Part::Basic => self.contract_cancelled(contract, &notice),
            Part::Option => self.option_cancelled(contract, &notice, survivor),
        }
    }

    fn contract_cancelled(&self, contract: &Contract, notice: &Notice) -> Checked {
        let refuse = |message: String, remedy: &str| {
            Err(Refusal::new(Rule::Cancellation, "Art. 9", &contract.name, message, remedy))
        };
        if let Some(end) = contract.end.filter(|end| end.on >= self.today) {
            return refuse(
                format!("it is cancelled already, and its last day is {}", end.on),
                match notice.ground {
                    Ground::Notice | Ground::Operator => "let it end on that day",
                    Ground::General28_2 | Ground::General28_3 => {
                        "let it end on that day, or end it before, by this ground"
                    }
                },
            );
        }
        if contract.last_day().is_some() {
            return Err(self.wrong_state("Art. 9", contract, "cancelled"));
        }
        match contract.billing_start {
            Some(start) if start <= notice.arrived => Ok(()),
            Some(start) => {
                let message = format!("its notice arrived on {}, before billing started on {start}", notice.arrived);
                // What has been served is not withdrawn any more.
                let given = format!("give notice as of {start} or later");
                refuse(message, if start <= self.today { &given } else { "withdraw it" })
            }
            None => {
                let state = contract.state_on(self.today).unwrap_or(State::Applied);
                refuse(format!("it is {state}: billing has not started"), "withdraw it")
            }
        }
    }

    fn option_cancelled(&self, contract: &Contract, notice: &Notice, survivor: Option<&str>) -> Checked {
        let refuse = |message: String, remedy: String| {
            Err(Refusal::new(Rule::LoadBalancing, "Art. 8.4", &contract.name, message, remedy))
        };
        if contract.last_day().is_some_and(|last| last < self.today) {
            return Err(self.wrong_state("Art. 8.4", contract, "relieved of its option"));
        }
        let Some(option) = contract.options.last().filter(|option| option.dropped.is_none()) else {
            return refuse("it has no option".to_owned(), "cancel the contract, or nothing".to_owned());
        };
        if let Some(end) = option.end {
            return refuse(
                format!("its option is cancelled already, and its last day is {}", end.on),
                "leave it at that".to_owned(),
            );
        }
        match option.billing_start {
            Some(start) if start <= notice.arrived => {}
            Some(start) => {
                return refuse(
                    format!("the notice arrived on {}, before its option's billing started on {start}", notice.arrived),
                    "give notice on that day or later".to_owned(),
                );
            }
            None => {
                return refuse(
                    "billing of its option has not started".to_owned(),
                    "apply a document without the option".to_owned(),
                );
            }
        }
        let last = notice.last_day();
        let lnss =
            contract.terms_on(last.tomorrow().unwrap_or(last)).map(|terms| terms.kind.lnss()).unwrap_or_default();
        match survivor {
            Some(survivor) if lnss.iter().any(|lns| lns == survivor) => Ok(()),
            Some(survivor) => refuse(
                format!("{survivor} is to remain, and is none of its LNSs after {last}"),
                format!("name one of {}", lnss.join(", ")),
            ),
            None => refuse(
                "nothing says which LNS remains without its option".to_owned(),
                format!("name one of {}", lnss.join(", ")),
            ),
        }
    }

    pub(super) fn ended(&self, name: &str, on: Date, ground: Ground) -> Checked {
        let article = match ground {
            Ground::Operator | Ground::Notice => "general regulation",
            Ground::General28_2 | Ground::General28_3 => "general regulation 28",
        };
        let contract = self.contract(name)?;
        let refuse =
            |message: String, remedy: String| Err(Refusal::new(Rule::Cancellation, article, name, message, remedy));
        if ground == Ground::Notice {
            return refuse(
                "the ground is a notice, which takes effect after 30 days".to_owned(),
                "cancel it, with the day on which the notice arrived".to_owned(),
            );
        }
        let Some(accepted) = contract.accepted else { return Err(self.wrong_state(article, contract, "ended")) };
        match contract.last_day() {
            // An earlier end takes the place of one that is still to come.
            Some(last) if last >= self.today && on < last => {}
            Some(_) => return Err(self.wrong_state(article, contract, &format!("ended on {on}"))),
            None => {}
        }
        self.not_before(article, name, "it ends", on, ("it was accepted", accepted.on))
    }
}
