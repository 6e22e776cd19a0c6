//! Tables in the paper's layout, beside its numbers: a function of the rows alone, so that it does not matter
//! how many processes made them.

use crate::choices::Format;
use crate::column::Column;
use crate::compared;
use crate::dataset::Dataset;
use crate::header;
use crate::merge::Kept;
use crate::method::Contender;
use crate::sweep;
use crate::view::{Kind, View};

/// A table: a column a data set, or a kind of anomalies.
struct Block {
    title: String,
    columns: Vec<Column>,
    contenders: Vec<Contender>,
}

/// The rows as tables, with their protocol above them; of a table of the paper the columns of `datasets`, or all.
pub fn render(view: View, datasets: &[Dataset], rows: &[Kept], format: Format) -> String {
    let head = header::lines(view, rows);
    if view.is_sweep() {
        return sweep::render(view, rows, &head, format);
    }
    if let View::Comparison(comparison) = view {
        return compared::render(comparison, rows, &head, format);
    }
    let blocks = blocks(view, datasets, rows);
    match format {
        Format::Markdown => {
            let tables: Vec<String> = blocks.iter().map(|block| markdown(block, rows)).collect();
            format!("{}\n\n{}", head.join("\n\n"), tables.join("\n"))
        }
        Format::Csv => {
            let head: String = head.iter().map(|line| format!("# {line}\n")).collect();
            head + &csv(&blocks, rows)
        }
    }
}

/// The tables without what stands above them.
pub fn tables(view: View, rows: &[Kept]) -> String {
    let tables = blocks(view, &[], rows);
    let tables: Vec<String> = tables.iter().map(|block| markdown(block, rows)).collect();
    tables.join("\n")
}

fn blocks(view: View, asked: &[Dataset], rows: &[Kept]) -> Vec<Block> {
    let mut datasets = match view {
        View::Datasets => header::datasets(rows),
        _ => view.datasets(),
    };
    datasets.retain(|dataset| asked.is_empty() || asked.contains(dataset));
    let of = |datasets: &[Dataset]| contenders(view, rows, datasets);
    if view == View::Datasets {
        let block = |dataset: Dataset| {
            let contenders = of(&[dataset]);
            let column =
                |kind: Kind| Column::new(kind.title().into(), dataset, kind, rows, &contenders);
            Block {
                title: dataset.title().into(),
                columns: Kind::ALL.map(column).into(),
                contenders,
            }
        };
        return datasets.into_iter().map(block).collect();
    }
    let contenders = of(&datasets);
    let column = |dataset: &Dataset| {
        let title = dataset.title().into();
        Column::new(title, *dataset, view.kind(), rows, &contenders)
    };
    let columns = datasets.iter().map(column).collect();
    vec![Block {
        title: view.title(),
        columns,
        contenders,
    }]
}

/// The methods that have rows, and the paper's in its tables.
fn contenders(view: View, rows: &[Kept], datasets: &[Dataset]) -> Vec<Contender> {
    let rows = rows.iter().map(|kept| &kept.row);
    let here = rows.filter(|row| datasets.contains(&row.dataset));
    let mut all: Vec<Contender> = here.map(|row| row.method.clone()).collect();
    if view != View::Datasets {
        all.extend(Contender::paper());
    }
    all.sort_by_cached_key(Contender::order);
    all.dedup();
    all
}

fn markdown(block: &Block, rows: &[Kept]) -> String {
    let mut titles = vec![block.title.clone()];
    for column in &block.columns {
        titles.push(column.title.clone());
        if column.has_paper() {
            titles.extend(["paper".into(), "difference".into()]);
        }
    }
    let mut out = format!(
        "| {} |\n|{}\n",
        titles.join(" | "),
        "---|".repeat(titles.len())
    );
    for (i, contender) in block.contenders.iter().enumerate() {
        let mut texts = vec![contender.to_string()];
        for column in &block.columns {
            let cell = column.cell(i, contender, rows);
            texts.push(cell.ours());
            if column.has_paper() {
                texts.extend([cell.paper(), cell.difference_text()]);
            }
        }
        out += &format!("| {} |\n", texts.join(" | "));
    }
    out
}

/// One table of numbers, a line a method and column.
fn csv(blocks: &[Block], rows: &[Kept]) -> String {
    let mut out = String::from(
        "table,column,method,mean,deviation,runs,failed,best,mixed,paper_mean,paper_deviation,difference,within\n",
    );
    for block in blocks {
        for (i, contender) in block.contenders.iter().enumerate() {
            for column in &block.columns {
                let cell = column.cell(i, contender, rows);
                let ours = cell.ours.map_or(",,0".into(), |ours| {
                    format!("{:.6},{:.6},{}", ours.mean, ours.deviation, ours.runs)
                });
                let paper = cell
                    .paper
                    .map_or(",".into(), |p| format!("{},{}", p.0, p.1));
                let difference = cell
                    .difference()
                    .map_or(",".into(), |(difference, within)| {
                        format!("{difference:.3},{within}")
                    });
                out += &format!(
                    "{},{},{contender},{ours},{},{},{},{paper},{difference}\n",
                    block.title.replace(',', ";"),
                    column.title,
                    cell.failed,
                    cell.is_best,
                    cell.is_foreign,
                );
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::tests::kept;
    use crate::plan::Plan;
    use crate::row::tests::{diverged, rows};

    fn some() -> Vec<Kept> {
        let plan = Plan::of(&["--dataset", "mnist"]);
        let ae = rows(&plan, "AE", &[(1, 0, 0.85), (8, 0, 0.95)]);
        let oracle = rows(&plan, "PNAE", &[(1, 0, 0.99)]);
        let others = Plan::of(&["--dataset", "cifar10"]);
        let puae = rows(&others, "PUAE", &[(1, 0, 0.8)]);
        kept([puae, oracle, ae].concat())
    }

    #[test]
    fn a_table_of_the_paper_has_its_columns_rows_and_numbers() {
        let table = render(View::Table(1), &[], &some(), Format::Markdown);
        let line = |name: &str| {
            let start = format!("| {name} |");
            table.lines().find(|line| line.starts_with(&start)).unwrap()
        };
        assert!(
            line("Table 1: AUROC")
                .starts_with("| Table 1: AUROC | MNIST | paper | difference | Fashion")
        );
        assert!(
            line("AE").starts_with("| AE | 0.900 ± 0.050 | 0.912 ± 0.042 | -0.012 ✓ | - | 0.841")
        );
        assert!(line("PNAE").starts_with("| PNAE | 0.990 (1/2) | - | - | - |"));
        assert!(line("PUAE").ends_with("| 0.800 (1 run) | 0.667 ± 0.066 | +0.133 ✗ |"));
        assert!(line("IF").starts_with("| IF | - | 0.885 ± 0.062 | - |"));
        assert_eq!(line("IF").matches('|').count(), 14);
        assert!(
            table.contains("MNIST: normal classes 1, 8, seed 0"),
            "{table}"
        );
        let unseen = render(View::Table(4), &[], &some(), Format::Markdown);
        assert!(
            unseen.contains("| AE | 0.900 ± 0.050 | 0.981 ± 0.013 | -0.081 ✗ |"),
            "{unseen}"
        );
    }

    #[test]
    fn a_data_set_has_the_methods_that_were_run() {
        let table = tables(View::Datasets, &some());
        assert!(
            table.contains("| MNIST | all anomalies | paper | difference | seen |"),
            "{table}"
        );
        assert!(!table.contains("| IF |"), "{table}");
        let plan = Plan::of(&[]);
        let glyphs = kept(rows(&plan, "AE", &[(1, 0, 0.5)]));
        let table = tables(View::Datasets, &glyphs);
        assert_eq!(
            table,
            "| glyphs | all anomalies | seen | unseen |\n|---|---|---|---|\n\
             | AE | 0.500 (1 run) | 0.500 (1 run) | 0.500 (1 run) |\n"
        );
    }

    #[test]
    fn oracles_do_not_compete() {
        let plan = Plan::of(&["--dataset", "mnist"]);
        let five = |value| (0..5).map(|seed| (1, seed, value)).collect::<Vec<_>>();
        let mut all = rows(&plan, "AE", &five(0.7));
        all.extend(rows(&plan, "PNAE", &five(0.9)));
        let table = tables(View::Datasets, &kept(all));
        assert!(table.contains("| AE | **0.700 ± 0.000** |"), "{table}");
        assert!(table.contains("| PNAE | 0.900 ± 0.000 |"), "{table}");
    }

    #[test]
    fn failed_runs_are_marked_and_their_methods_do_not_compete() {
        let plan = Plan::of(&["--dataset", "mnist"]);
        let five = |value| (0..5).map(|seed| (1, seed, value)).collect::<Vec<_>>();
        let mut all = rows(&plan, "AE", &five(0.7));
        let mut puae = rows(&plan, "PUAE", &five(0.9));
        puae[4] = diverged(puae[4].clone());
        all.extend(puae);
        all.push(diverged(rows(&plan, "PU", &[(1, 0, 0.5)]).remove(0)));
        let text = render(View::Datasets, &[], &kept(all.clone()), Format::Markdown);
        for line in [
            "| AE | **0.700 ± 0.000** |",
            "| PU | - ‡ | 0.962",
            "| PUAE | 0.900 ± 0.000 (4/5) ‡ | 0.983 ± 0.015 | -0.083 |",
            "‡ MNIST, PUAE: 1 run failed and is in no mean (class 1, seed 4)",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        let text = render(View::Datasets, &[], &kept(all), Format::Csv);
        let line = "MNIST,all anomalies,PUAE,0.900000,0.000000,4,1,false,false,";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn columns_are_those_asked_for() {
        let asked = [Dataset::Mnist, Dataset::Cifar10];
        let text = render(View::Table(1), &asked, &some(), Format::Markdown);
        let title =
            "| Table 1: AUROC | MNIST | paper | difference | CIFAR10 | paper | difference |\n";
        assert!(text.contains(title), "{text}");
    }

    #[test]
    fn csv_has_the_same_numbers() {
        let text = render(View::Table(1), &[], &some(), Format::Csv);
        let line =
            "Table 1: AUROC,MNIST,AE,0.900000,0.050000,2,0,false,false,0.912,0.042,-0.012,true\n";
        assert!(text.contains(line), "{text}");
        let dash = "Table 1: AUROC,SVHN,AE,,,0,0,false,false,0.562,0.04,,\n";
        assert!(text.contains(dash), "{text}");
        assert!(text.starts_with("# "), "{text}");
    }
}
