//! Which rows of a file belong to the runs that are asked for.

use std::path::Path;

use anyhow::bail;

use crate::changes::changes;
use crate::common::record::Asked;
use crate::grid::Grid;
use crate::row::Row;

impl Asked<Row> for Grid {
    fn has(&self, row: &Row) -> bool {
        self.has_run(row)
    }

    /// Rows of other methods and cells may stand in the file, of the same method with other settings not.
    fn check(&self, row: &Row, path: &Path) -> anyhow::Result<()> {
        let named = |contender: &&_| -> bool {
            let contender: &crate::contender::Contender = contender;
            contender.name == row.method
        };
        let Some(contender) = self.contenders.iter().find(named) else {
            return Ok(());
        };
        let changes = changes(&row.config, &contender.settings());
        if changes.is_empty() {
            return Ok(());
        }
        bail!(
            "{} has rows of {} with other settings, from them to this run's: {}; use another --out",
            path.display(),
            row.method,
            changes.join(", ")
        )
    }
}
