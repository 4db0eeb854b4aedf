//! Rules of the source tree, the schema and the documents, held by scans.

mod commands;
mod distribution;
mod documents;
mod fuzz_seeds;
mod guarantees;
mod imports;
mod mapping;
mod mutants;
mod openapi_enums;
mod schema;
mod shape;
pub mod source;
mod words;
