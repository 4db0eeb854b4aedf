//! Every text that users read, in both languages, and an order's history in words.
//!
//! Why is this order where it is? Its history tells: events, reads, decisions, calls and answers, with times and
//! request ids. The API, the CLI and the dashboard show the same one. It is built from the recorded attempts, so
//! it says only what happened. Personal values are redacted when they are recorded, so a vendor's support may see
//! it ([`call_log()`]).

mod alert_details;
mod alerts;
mod attention_texts;
mod audience;
mod audit;
mod call_log;
mod call_remedies;
mod call_texts;
mod check_causes;
mod check_findings;
mod check_remedies;
mod conflicts;
mod connection_texts;
mod details;
mod differences;
mod history;
mod item_texts;
mod labels;
mod moments;
mod order_texts;
mod overview_texts;
mod pages;
mod reasons;
mod remedies;
mod sentences;
mod switches;
mod texts;
mod vendor_texts;
mod waiting;
mod webhooks;

pub use alert_details::alert_detail;
pub use alerts::{AlertText, alert_prefix, alert_since, alert_text};
pub use attention_texts::{AttentionTexts, attention_texts};
pub use audience::Audience;
pub use audit::{audit_subject, audit_text};
pub use call_log::call_log;
pub use call_remedies::call_remedy;
pub use call_texts::call_text;
pub use check_findings::check_finding;
pub use check_remedies::{Place, check_remedy, check_title};
pub use conflicts::conflict_text;
pub use connection_texts::{ConnectionTexts, connection_texts};
pub use details::{detail, method_names};
pub use differences::difference_remedy;
pub use history::{LedgerAction, OrderHistory, TimelineEntry, order_history};
pub use item_texts::{ItemTexts, basis_text, item_texts};
pub use labels::{
    capitalised, counted, counted_in, decimal, difference_text, one_or_many, remark_text, sentence,
    source_text, state_text, subject_text, sync_kind_text, vendor_name, vendor_status_text,
};
pub use moments::{
    amount_text, clock_text, date_text, day_text, duration_text, moment_text, money_text, number_text,
    relative_text, short_duration_text, time_of_day,
};
pub use order_texts::{OrderTexts, order_texts, with_count};
pub use overview_texts::{OverviewTexts, overview_texts};
pub use pages::{PageTexts, page_texts};
pub use reasons::reason_text;
pub use remedies::remedy;
pub use sentences::{attempt_text, event_text, outcome_text, recent_text, status_text};
pub use switches::switch_text;
pub use vendor_texts::{refused_field, with_vendor};
pub use waiting::{Choice, waiting_choices};
pub use webhooks::{hint_text, purpose_text};
