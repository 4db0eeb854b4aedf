//! Signatures, encrypted secrets, key usage, and the throttling of failed authentication.

pub mod admin_token;
pub mod auth_throttle;
pub mod client_network;
pub mod detection;
pub mod instance;
pub mod key_usage;
pub mod secrets;
pub mod signature;
