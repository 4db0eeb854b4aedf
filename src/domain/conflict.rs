//! Why the state of a thing does not allow what an operator asks for.

use std::fmt;

use super::event::subject::SubjectKind;

/// Why the state of a thing does not allow what an operator asks for. `explain` has the texts of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictError {
    /// A connection is paused.
    AlreadyPaused,
    /// A connection is neither paused nor stopped by its circuit breaker.
    AlreadyRunning,
    /// The configuration does not name the connection.
    NotConfiguredHere,
    /// The same is running already, of this connection.
    WorkRunning,
    /// A connection is paused, so its vendors are not called.
    ConnectionPaused,
    /// A vendor of a connection is down or refuses the key, so neither is called.
    ConnectionDown,
    /// There is no address that the vendors could call.
    NoPublicUrl,
    /// No key of `[secrets]` could seal what a vendor is given.
    NoSecretKey,
    /// A sender's webhooks are not signed.
    NotSigned,
    /// A task runs or is closed.
    NotCancellable,
    /// A task is not in doubt.
    NotInDoubt,
    /// A task asks for no work outside, or does not need attention any more.
    NothingToHandle,
    /// A task to be replayed is open.
    TaskStillOpen,
    /// An event to be replayed has no subject.
    NoSubject,
    /// A replay was cancelled.
    ReplayAlreadyCancelled,
    /// No task was selected for a replay.
    NothingSelected,
    /// A sync has nothing that waits for approval.
    NothingToApprove,
    /// A sync of the same kind runs with another `dry_run` or since another day.
    OtherSyncRunning,
    /// A sync to be cancelled has ended.
    SyncNotRunning,
    /// `orders.transfer = "manual"`
    TransferManual,
    /// Nothing waits for what is to be released.
    NothingWaits,
    /// `orders.transfer = "off"`
    TransferOff,
    /// `products.upload = "off"`
    UploadOff,
    /// `stock.update = "off"`
    StockUpdateOff,
    /// An order to be erased has an open task.
    OrderHasOpenTask,
    /// An order is not known here, and a vendor could not be asked for it.
    OrderUnverified,
    /// An order is at the warehouse.
    AlreadyPlaced,
    /// What is to be taken back has left, or is about to.
    TooLateToUndo,
    /// An order was shipped.
    AlreadyShipped,
    /// An order was cancelled.
    OrderAlreadyCancelled,
    /// No shipment that was added to an order waits to be sent as a replacement.
    NoReplacement,
    /// Several added shipments wait, and none is named.
    SeveralReplacements,
    /// A shipping rule's pattern or code is empty or too long.
    RuleLength,
    /// A shipping rule's pattern or code has a control character.
    RuleControlCharacters,
    /// A shipping rule's pattern matches every method.
    RuleMatchesAll,
}

impl ConflictError {
    /// The switch of this kind of subject is off.
    pub const fn switched_off(kind: SubjectKind) -> Self {
        match kind {
            SubjectKind::Order => Self::TransferOff,
            SubjectKind::Product => Self::UploadOff,
            SubjectKind::Stock => Self::StockUpdateOff,
        }
    }

    /// The conflict in English.
    pub const fn description(self) -> &'static str {
        match self {
            Self::AlreadyPaused => "the connection is already paused",
            Self::AlreadyRunning => "the connection is neither paused nor stopped",
            Self::NotConfiguredHere => "the connection is not configured here",
            Self::WorkRunning => "this is running already: wait until it has ended",
            Self::ConnectionPaused => "the connection is paused: resume it first",
            Self::ConnectionDown => {
                "the connection is down, and Silta tries by itself when it is back: wait, or resume it first"
            }
            Self::NoPublicUrl => "http.public_url is empty: it is the address that the vendors call",
            Self::NoSecretKey => {
                "without a [secrets] key Silta cannot keep the key of a new subscription: add one, or use silta webhooks register, \
                 which shows it once"
            }
            Self::NotSigned => "the connection's webhooks are not signed: there is nothing to detect",
            Self::NotCancellable => "only a task that waits (pending or in_doubt) can be cancelled",
            Self::NotInDoubt => "only a task in doubt can be resolved",
            Self::NothingToHandle => {
                "only the newest dead task of an order that asks for work outside can be marked as handled, and only once"
            }
            Self::TaskStillOpen => "the task is still open and is retried by itself",
            Self::NoSubject => {
                "the event names no subject that Silta knows, so there is nothing to read again"
            }
            Self::ReplayAlreadyCancelled => "the replay is already cancelled",
            Self::NothingSelected => "nothing was selected",
            Self::NothingToApprove => {
                "nothing of the sync waits for approval, or another sync of its kind is running"
            }
            Self::OtherSyncRunning => {
                "a sync of the same kind is running that fixes or compares something else: cancel it, or wait until it ends"
            }
            Self::SyncNotRunning => "the sync has already ended",
            Self::TransferManual => {
                "orders.transfer is \"manual\" in the configuration: transfer each order, or set it to \"automatic\" first"
            }
            Self::NothingWaits => "nothing waits for that any more",
            Self::TransferOff => {
                "orders.transfer is \"off\" in the configuration: nothing is written for orders at either vendor"
            }
            Self::UploadOff => {
                "products.upload is \"off\" in the configuration: no product is created or changed at the warehouse"
            }
            Self::StockUpdateOff => {
                "stock.update is \"off\" in the configuration: no stock figure is written to the shop"
            }
            Self::OrderHasOpenTask => {
                "a task of the order is still open: let it end or cancel it, then erase"
            }
            Self::OrderUnverified => {
                "Silta does not know the order yet, and the vendors could not be asked for it now: try again"
            }
            Self::AlreadyPlaced => "the order is already at the warehouse",
            Self::TooLateToUndo => "too late to take it back: it has left, or is being worked on just now",
            Self::AlreadyShipped => "the warehouse has already shipped the order",
            Self::OrderAlreadyCancelled => "the order is already cancelled",
            Self::NoReplacement => "no such shipment of the order waits to be sent as a replacement",
            Self::SeveralReplacements => "several shipments wait to be sent as replacements: name one",
            Self::RuleLength => "a shipping method and a code have 1 to 200 characters",
            Self::RuleControlCharacters => "a shipping method and a code have no control characters",
            Self::RuleMatchesAll => "a rule for every method would hide each method without a rule",
        }
    }
}

impl fmt::Display for ConflictError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl std::error::Error for ConflictError {}
