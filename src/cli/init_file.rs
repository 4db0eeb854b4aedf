//! The configuration that `silta init` writes.

use crate::domain::digest::sha256_hex;

/// The values of the file.
pub(super) struct Values {
    pub(super) name: String,
    pub(super) public_url: String,
    pub(super) shop_url: String,
    pub(super) shop_user: String,
    pub(super) shop_key: String,
    pub(super) warehouse_url: String,
    pub(super) warehouse_key: String,
    pub(super) header: String,
    pub(super) database: String,
    pub(super) is_sandbox: bool,
    pub(super) token: String,
    pub(super) webhook_token: String,
    pub(super) ogoship_token: String,
    pub(super) encryption_key: String,
}

impl Values {
    /// The file's text.
    pub(super) fn render(&self) -> String {
        [self.service(), self.vendors(), self.rules()].concat()
    }

    fn service(&self) -> String {
        let Self { shop_url, public_url, database, encryption_key, is_sandbox, token, .. } = self;
        let digest = sha256_hex(token.as_bytes());
        let sandbox = "\n[outbound]\ndangerously_allow_private = true # the sandbox is on this machine\n";
        let sandbox = if *is_sandbox { sandbox } else { "" };
        format!(
            r#"# Silta between {shop_url} and the warehouse. Every other key, with its default: `silta config default`.

[http]
listen = "127.0.0.1:8080"          # behind a proxy with TLS
public_url = {public_url:?}        # the URL that the two vendors call
proxies = {proxies}                        # trusted proxies, whose X-Forwarded-For is used

[database]
url = {database:?}                           # empty: a private PostgreSQL in ./silta-data
{sandbox}
[secrets]
keys = [{encryption_key:?}] # encrypts the secrets that Silta keeps; keep a copy

[[admin.tokens]]
name = "admin"
token_sha256 = {digest:?}
role = "operator"
"#,
            proxies = u8::from(!is_sandbox),
        )
    }

    fn vendors(&self) -> String {
        let Self { name, shop_url, shop_user, shop_key, webhook_token, header, .. } = self;
        let Self { warehouse_url, warehouse_key, ogoship_token, .. } = self;
        let auth_url =
            if warehouse_url.contains("ogoship.com") { "https://my.ogoship.com" } else { warehouse_url };
        format!(
            r"
[[connections]]
name = {name:?}

[connections.mycashflow]
url = {shop_url:?}
user = {shop_user:?}
api_key_file = {shop_key:?}
webhook_token = {webhook_token:?} # the unguessable part of the callback path

[connections.mycashflow.signature]
header = {header:?} # not public: `silta webhooks detect {name}` finds it

[connections.ogoship]
url = {warehouse_url:?}
auth_url = {auth_url:?}
api_key_file = {warehouse_key:?}
# instead of api_key_file: merchant_id, secret_token_file, client_id, client_secret_file (docs/keys.md)
webhook_token = {ogoship_token:?} # the unguessable part of the callback path
"
        )
    }

    fn rules(&self) -> String {
        let Self { name, .. } = self;
        format!(
            r#"
# Three switches, all "manual": what would be written is decided and shown, and is written when you ask, so that the first
# `silta serve` changes nothing at either vendor. Set each to "automatic" once all looks right, or to "off". What has waited is
# offered then, on the pages and by `silta release list`.
[connections.orders]
transfer = "manual"                # orders to the warehouse; by hand: `silta orders transfer {name} NUMBER`
reference_prefix = "{name}-"
# when = "authorized"              # an order goes once its money is received; "paid", or "created" for at once
# hold = "0s"                      # waits so long before it goes, for changes of mind

[connections.products]
upload = "manual"                  # products to the warehouse; by hand: `silta sync products {name}`
# not_packed = ["LAHJAKORTTI*"]    # codes that nobody packs, as gift cards and services
# suppliers = ["Kahvila Oy"]       # whose products are at the warehouse; without it all are

# [connections.products.kits]      # codes that are packed as other codes
# "SET-1" = {{ "CUP" = 2, "PLATE" = 2 }}

[connections.stock]
update = "manual"                  # the warehouse's figures to the shop; by hand: `silta sync stock {name}`

# Shipping methods of the shop, by code, name or pattern, and the warehouse's codes: `silta doctor` reports those without one.
[connections.shipping]
# "POSTI-*" = {{ code = "Posti Parcel", pickup = true }}
# "NOUTO" = "leave"                # collected from the shop: never sent
"#
        )
    }
}
