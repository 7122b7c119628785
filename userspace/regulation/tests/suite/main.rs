//! The regulation, article by article, and the money that follows from it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod article_12;
mod article_14;
mod article_3;
mod article_4;
mod article_5_1;
mod article_5_3;
mod article_5_6;
mod article_6;
mod article_7;
mod article_8;
mod article_9;
mod common;
mod history;
mod life;
mod money_closing;
mod money_common;
mod money_credit;
mod money_fees;
mod money_formats;
mod money_properties;
mod money_settlement;
mod owed;
