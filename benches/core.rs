//! The pure parts, by criterion: `cargo bench --bench core`. What a whole step costs is `coding-env bench`.
#![allow(missing_docs, clippy::expect_used, reason = "a benchmark")]

use std::hint::black_box;

use coding_env::transform::{Chain, StepFacts};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Source like a model's: short lines, nothing that a transform finds.
fn source(bytes: usize) -> String {
    "total = sum(number * number for number in range(10))\n"
        .chars()
        .cycle()
        .take(bytes)
        .collect()
}

fn transforms(criterion: &mut Criterion) {
    let chain: Chain = "safety,quality".parse().expect("a valid list");
    let mut group = criterion.benchmark_group("transforms");
    for bytes in [5, 1 << 10, 1 << 20] {
        let code = source(bytes);
        group.throughput(Throughput::Bytes(code.len() as u64));
        group.bench_with_input(
            BenchmarkId::from_parameter(bytes),
            &code,
            |bencher, code| {
                let facts = StepFacts {
                    code,
                    syntax_error: Some(false),
                };
                bencher.iter(|| chain.apply(black_box(&facts)));
            },
        );
    }
    group.finish();
}

fn found_violation(criterion: &mut Criterion) {
    let chain: Chain = "safety,quality".parse().expect("a valid list");
    let code = format!("{}import os\n", source(1 << 20));
    let facts = StepFacts {
        code: &code,
        syntax_error: Some(false),
    };
    criterion.bench_function("transforms/violation_at_the_end", |bencher| {
        bencher.iter(|| chain.apply(black_box(&facts)));
    });
}

criterion_group!(benches, transforms, found_violation);
criterion_main!(benches);
