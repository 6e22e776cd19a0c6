//! Whether what thresholds promise holds, and how it fails where an assumption does: simulated 2,000 times each.

mod batches;
mod budgets;
mod costs;
mod detector;
mod rates;
mod reviews;
mod table;
mod world;
