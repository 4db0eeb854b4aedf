//! The steps from a new configuration to the first order: printed by `silta init`. The README has the same list, and
//! a test compares them (`tests/it/ops/afternoon.rs`).

/// Where the configuration is if no option says otherwise.
pub(super) const DEFAULT_PATH: &str = "silta.toml";

/// A step: what to type, what it does.
pub(super) struct Step {
    /// The command, for the connection that README and examples call kauppa.
    command: &'static str,
    does: &'static str,
}

const fn step(command: &'static str, does: &'static str) -> Step {
    Step { command, does }
}

/// In the first terminal, after `silta init`. The last one stays there.
const FIRST_TERMINAL: [Step; 3] = [
    step("silta config check", "reports every error at once, each with its remedy"),
    step("silta doctor kauppa", "checks credentials, clocks, shipping methods, codes, webhooks"),
    step("silta serve", "runs until Ctrl-C; reads, decides and shows, and writes nothing yet"),
];

/// In a second terminal, while it serves.
const SECOND_TERMINAL: [Step; 4] = [
    step("silta webhooks register kauppa", "subscribes to both vendors' webhooks"),
    step("silta webhooks detect kauppa", "finds how the shop signs, from the next rejected webhook"),
    step("silta orders transfer kauppa 1042", "sends one order, where 1042 is its number in the shop"),
    step("silta release list", "what waits for orders.transfer, products.upload, stock.update"),
];

/// The list of steps, for a connection of this name.
pub(super) fn next_steps(connection: &str, options: &str) -> String {
    let block = |steps: &[Step]| -> String {
        let line = |it: &Step| {
            let command = it.command.replace("kauppa", connection);
            format!("  {:<36} # {}\n", format!("{command}{options}"), it.does)
        };
        steps.iter().map(line).collect()
    };
    format!(
        "Next, in this terminal:\n{}In a second terminal, while it serves:\n{}",
        block(&FIRST_TERMINAL),
        block(&SECOND_TERMINAL)
    )
}
