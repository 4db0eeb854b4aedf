//! The credentials of the sandbox's accounts; any other is refused.

/// The shop's API user.
pub const USER: &str = "api@sandbox.example";
/// The shop's API key.
pub const API_KEY: &str = "sandbox-api-key";
/// The warehouse's merchant id.
pub const MERCHANT_ID: &str = "sandbox-merchant";
/// The merchant's secret token.
pub const SECRET_TOKEN: &str = "sandbox-secret-token";
/// The warehouse's OAuth client id.
pub const CLIENT_ID: &str = "123456";
/// The secret of the OAuth client.
pub const CLIENT_SECRET: &str = "abcdef";
/// The warehouse's API key, sent as `X-OgoKey`.
pub const API_KEY_OGOSHIP: &str = "sandbox-ogokey";
/// The header with the shop's signature; the real one is not public.
pub const SHOP_HEADER: &str = "X-MyCashflow-Signature";
/// The header with the warehouse's signature.
pub const WAREHOUSE_HEADER: &str = "X-OGOship-Hmac-SHA256";
/// The secret that signs the shop's webhooks.
pub const SHOP_SECRET: &str = "083c584d-ae65-11ec-aef4-0242ac130002";
/// The key that signs the warehouse's webhooks.
pub const WAREHOUSE_KEY: &str = "sandbox-webhook-key";
/// The unguessable part of the warehouse's callback path.
pub const OGOSHIP_WEBHOOK_TOKEN: &str = "sandbox-token-9b27";
/// The unguessable part of the shop's callback path.
pub const WEBHOOK_TOKEN: &str = "sandbox-token-4f1d";
