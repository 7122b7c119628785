//! Why something is not accepted, or not served.

use std::fmt;

/// A rule, by which a refusal can be told from others. Several rest on one article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// One contract, one kind (Art. 4).
    OneKind,
    /// A contract's name is its customer's, once and for ever.
    Names,
    /// What a document may leave out.
    Missing,
    /// One client and one proxy or group, or one vpdn (Art. 5.1).
    Serviceable,
    /// A vpdn contract's `verify` leads to a contract that there is.
    Verification,
    /// Eligibility by the mobile contract (Art. 5.3 to 5.5).
    Eligibility,
    /// A realm is of one customer (Art. 5.6(1)).
    Realm,
    /// What the customer has to do first (Art. 5.6, 5.7).
    Prerequisites,
    /// Proxy and group not at the same time (Art. 6).
    Exclusive,
    /// The number of accounts and its changes (Art. 7).
    Accounts,
    /// The load-balancing option and the LNSs (Art. 8.2, 8.4).
    LoadBalancing,
    /// Notices of cancellation (Art. 8.4, 9).
    Cancellation,
    /// Items that do not go with the large-scale private gateway (Art. 14.3, 14.4).
    PrivateGateway,
    /// The order of a contract's life, and its days.
    Life,
    /// Incidents and claims (Art. 12).
    Credit,
    /// Months and their closing (Art. 10).
    Month,
}

impl Rule {
    /// The regulation's own word, where it has one.
    pub fn japanese(self) -> Option<&'static str> {
        Some(match self {
            Rule::OneKind => "契約の単位",
            Rule::Names | Rule::Missing | Rule::Life | Rule::Verification => return None,
            Rule::Serviceable | Rule::Eligibility => "利用条件",
            Rule::Realm => "レルム",
            Rule::Prerequisites => "利用条件",
            Rule::Exclusive => "利用の申込の制限",
            Rule::Accounts => "契約内容の変更",
            Rule::LoadBalancing => "負荷分散オプション",
            Rule::Cancellation => "解除の効力が生ずる日",
            Rule::PrivateGateway => "大規模プライベートゲートウェイ",
            Rule::Credit => "料金の減額",
            Rule::Month => "料金",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Rule::OneKind => "one-kind",
            Rule::Names => "names",
            Rule::Missing => "missing",
            Rule::Serviceable => "serviceable",
            Rule::Verification => "verification",
            Rule::Eligibility => "eligibility",
            Rule::Realm => "realm",
            Rule::Prerequisites => "prerequisites",
            Rule::Exclusive => "exclusive",
            Rule::Accounts => "accounts",
            Rule::LoadBalancing => "load-balancing",
            Rule::Cancellation => "cancellation",
            Rule::PrivateGateway => "private-gateway",
            Rule::Life => "life",
            Rule::Credit => "credit",
            Rule::Month => "month",
        })
    }
}

/// One reason. Shown as one line: rule, article, contract, what is the matter, and what would make it acceptable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule.
    pub rule: Rule,
    /// Where it is written, such as `Art. 5.1`.
    pub article: &'static str,
    /// Which contract, where it is about one.
    pub contract: Option<String>,
    /// What is the matter.
    pub message: String,
    /// What would make it acceptable, as an order to the reader.
    pub remedy: String,
}

impl Refusal {
    pub(crate) fn new(
        rule: Rule,
        article: &'static str,
        contract: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Refusal {
        Refusal { rule, article, contract: Some(contract.to_owned()), message: message.into(), remedy: remedy.into() }
    }

    /// About no contract.
    pub(crate) fn general(
        rule: Rule,
        article: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Refusal {
        Refusal { rule, article, contract: None, message: message.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.rule.to_string();
        if let Some(japanese) = self.rule.japanese() {
            line += &format!(" ({japanese})");
        }
        line += &format!(", {}", self.article);
        if let Some(contract) = &self.contract {
            line += &format!(", contract {contract}");
        }
        line += &format!(": {}. To be acceptable: {}.", self.message, self.remedy);
        // Names and words come from documents: a line stays one line.
        f.write_str(&line.replace(char::is_control, " "))
    }
}

/// All that was found against something, in a stable order; shown one a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(Refusal::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Refusals(pub Vec<Refusal>);
