//! Which items of the catalogue a list shows, by name and page by page.

use sqlx::PgConnection;

use crate::store::Result;

/// A list of items.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum ItemList {
    /// Every item of the catalogue.
    #[default]
    All,
    /// The shop shows another figure than it should.
    Differs,
    /// The code cannot be sent, or several items have it.
    Code,
    /// The warehouse stores it by the connection's rules, and does not know it.
    Absent,
}

impl ItemList {
    /// The spelling in URLs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Which items of a list.
#[derive(Clone, Copy, Debug)]
pub struct ItemFilter<'a> {
    /// Their connection.
    pub connection: &'a str,
    /// The list.
    pub list: ItemList,
    /// The starts of words of their name or code; all where it is left out.
    pub search: Option<&'a str>,
    /// Those behind this item; from the beginning where it is left out or gone.
    pub after: Option<&'a str>,
    /// The most rows.
    pub limit: i64,
}

/// Lists the items of a page by name, by an index of each list.
pub(super) async fn list_items(db: &mut PgConnection, filter: &ItemFilter<'_>) -> Result<Vec<String>> {
    let behind = match filter.after {
        Some(item) => find_position(db, filter.connection, item).await?,
        None => None,
    };
    let (name, item) = behind.unwrap_or_default();
    let words = filter.search.map(to_query);
    /// The items that a source names, behind the position, by name. Every parameter is given, so that one plan serves all; `$5`
    /// are the words of a search, null for all.
    macro_rules! items_of {
        ($source:tt) => {
            items_of!($source, "($5::text is null or words @@ to_tsquery('simple', $5))")
        };
        ($source:tt, $search:tt) => {{
            let items = sqlx::query_scalar!(
                r#"select item.item as "item!" from "#
                    + $source
                    + r#"
                 where item.connection = $1
                   and (lower(coalesce(item.name, '')) collate "C", item.item) > ($2::text collate "C", $3)
                   and "#
                    + $search
                    + r#"
                 order by lower(coalesce(item.name, '')) collate "C", item.item
                 limit $4"#,
                filter.connection,
                name,
                item,
                filter.limit,
                words,
            );
            items.fetch_all(db).await?
        }};
    }
    Ok(match filter.list {
        ItemList::All if words.is_none() => items_of!("item", "$5::text is null"),
        ItemList::All => items_of!("item", "words @@ to_tsquery('simple', $5::text)"),
        // The figures in the order of their index, so that it is read and not the table.
        ItemList::Differs => items_of!(
            "(
                 select code_key, code from stock_figure
                 where connection = $1 and differs
                 order by code_key, code limit 20000
             ) as figure
             join item on item.connection = $1 and item.code_key = figure.code_key and item.code = figure.code"
        ),
        ItemList::Absent => items_of!(
            "(
                 select code_key, code from stock_figure
                 where connection = $1 and physical is null
                 order by code_key, code limit 20000
             ) as figure
             join item on item.connection = $1 and item.code_key = figure.code_key and item.code = figure.code
                 and item.stored"
        ),
        // The same items as `code_problems` lists.
        ItemList::Code => items_of!(
            "(
                 select item from item where connection = $1 and reason is not null and stored
                 union
                 select item.item from repeated_code as repeated
                 join item on item.connection = $1 and item.code_key = repeated.code_key
                 where repeated.connection = $1
             ) as problem
             join item on item.connection = $1 and item.item = problem.item"
        ),
    })
}

/// What is searched: every word begins a word of the item. Words are what stands between spaces and punctuation.
fn to_query(search: &str) -> String {
    let words = search.split(|it: char| it.is_ascii_punctuation() || it.is_whitespace() || it.is_control());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).map(|word| format!("{word}:*")).collect();
    words.join(" & ")
}

/// Where an item stands in the order by name.
async fn find_position(
    db: &mut PgConnection,
    connection: &str,
    item: &str,
) -> Result<Option<(String, String)>> {
    let name = sqlx::query_scalar!(
        r#"select lower(coalesce(name, '')) as "name!" from item where connection = $1 and item = $2"#,
        connection,
        item,
    );
    Ok(name.fetch_optional(db).await?.map(|name| (name, item.to_owned())))
}
