//! Products: the shop's catalogue is copied to the warehouse, never back.
//!
//! The warehouse knows no variations: each is a product of its own there, named "Product - Variation", with
//! the product's values where it has none. A subject is the whole product of the shop; its items are synced
//! one action at a time.
//!
//! The product code is the one name that both vendors share, in whichever case and with whichever spaces each spells it
//! ([`CodeKey`]), so it must belong to one item. The shop does not
//! enforce that. So the catalogue as last read is stored ([`CodeRegister`]): a code that two items have is
//! withheld for both, until one of them has given it up.

mod code;
mod decide;
mod draft;
mod extra;
mod item;
mod policy;
mod register;
mod remark;
mod shop;
mod supplier;

pub use code::{AmbiguousCode, CodeKey, KnownSpellings, Spellings, code_fault, is_same_code, matches_code};
pub use decide::{Decision, ItemView, decide, differences};
pub use draft::{ItemDrafts, WithheldItem, draft_items};
pub use extra::{ExtraData, ExtraRow};
pub use item::{ItemDetails, ItemDraft, MAX_CODE_LENGTH, WarehouseProduct};
pub use policy::ProductPolicy;
pub use register::{CatalogueItem, CodeProblem, CodeRegister, DuplicateItem, KnownItem};
pub use remark::{Remark, RemarkedItem};
pub use shop::{ProductFields, ShopProduct, Variation};
pub use supplier::{Stored, Supplier};
