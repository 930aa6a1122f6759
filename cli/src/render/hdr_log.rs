//! Histograms as an HDR histogram log, which HdrHistogram's own tools and plotters read.
//!
//! A log is made of intervals of time, and an experiment's runs have none: each histogram is an interval of length 0
//! at time 0, told apart by its tag, `TARGET/WORKLOAD:METRIC`. Values are in the metric's unit.

use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use wbd_model::document::Distribution;
use wbd_model::request::Histograms;

use super::hist::{self, Unreadable};

/// The log of all these histograms.
///
/// # Errors
/// Fails where the text of one is damaged.
pub(crate) fn log(metrics: &[Histograms]) -> Result<Vec<u8>, Unreadable> {
    let mut text = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment("[Histogram log format version 1.3]");
    if let Some(first) = metrics.first() {
        builder.add_comment(&format!("[wbd experiment {}]", first.experiment));
    }
    let begun = builder.begin_log_with(&mut text, &mut serializer);
    let mut log = begun.expect("a vector takes every byte");
    for distribution in metrics.iter().flat_map(|metric| &metric.cells) {
        let histogram = hist::read(distribution)?;
        let name = tag(distribution);
        log.write_histogram(&histogram, Duration::ZERO, Duration::ZERO, Tag::new(&name))
            .map_err(|error| Unreadable {
                cell: name.clone(),
                why: error.to_string(),
            })?;
    }
    drop(log);
    Ok(text)
}

/// The format keeps commas and white space for itself.
fn tag(distribution: &Distribution) -> String {
    let size = distribution
        .size
        .map(|size| format!("@{size}"))
        .unwrap_or_default();
    let Distribution {
        target,
        workload,
        metric,
        ..
    } = distribution;
    let name = format!("{target}/{workload}{size}:{metric}");
    name.replace([',', ' ', '\t', '\n', '\r'], "_")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
    use wbd_model::{Metric, Size};

    use super::*;

    fn distribution(workload: &str, values: &[u64]) -> Distribution {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        values.iter().for_each(|&value| histogram.record(value).unwrap());
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&histogram, &mut bytes).unwrap();
        Distribution {
            target: "native".into(),
            workload: workload.into(),
            size: Some(Size::Quick),
            metric: Metric::Startup,
            hdr: STANDARD.encode(bytes),
            net_hdr: None,
        }
    }

    #[test]
    fn a_log_is_read_again_with_its_tags_and_values() {
        let of = |cells| Histograms {
            experiment: "7".into(),
            cells,
        };
        let cells = vec![
            distribution("fasta", &[10, 20, 30]),
            distribution("my, own", &[5]),
        ];
        let text = log(&[of(cells)]).unwrap();
        let entries: Vec<_> = IntervalLogIterator::new(&text).map(Result::unwrap).collect();
        let found = entries.iter().filter_map(|entry| match entry {
            LogEntry::Interval(interval) => {
                let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
                let read: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
                Some((
                    interval.tag().unwrap().as_str().to_owned(),
                    read.len(),
                    read.max(),
                ))
            }
            _ => None,
        });
        let found: Vec<_> = found.collect();
        assert_eq!(
            found,
            [
                ("native/fasta@quick:startup".into(), 3, 30),
                ("native/my__own@quick:startup".into(), 1, 5)
            ]
        );
        assert!(text.starts_with(b"#[Histogram log format version 1.3]"));
    }

    #[test]
    fn a_damaged_histogram_is_named() {
        let mut damaged = distribution("fasta", &[1]);
        damaged.hdr.truncate(5);
        let histograms = Histograms {
            experiment: "7".into(),
            cells: vec![damaged],
        };
        assert!(
            log(&[histograms])
                .unwrap_err()
                .to_string()
                .contains("native/fasta")
        );
    }
}
