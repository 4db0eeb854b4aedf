//! Keys and those who use them: signatures, stored secrets, key usage, throttling of failed authentication.

pub mod auth_throttle;
pub mod detection;
pub mod key_usage;
pub mod secrets;
pub mod signature;
