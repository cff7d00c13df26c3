use super::*;

fn log(records: u64) -> Vec<AuditRecord> {
    let mut before = AuditHead::empty().hash;
    (1..=records)
        .map(|seq| {
            let mut record = AuditRecord {
                seq,
                at_ms: 1_700_000_000_000 + seq,
                who: "token:ci".into(),
                what: AuditAction::Promote.as_str().into(),
                app: Some("shop".into()),
                version: (seq % 2 == 0).then(|| format!("v{seq}")),
                detail: None,
                result: AuditResult::Done.as_str().into(),
                hash: String::new(),
            };
            record.hash = record.expected_hash(&before);
            before.clone_from(&record.hash);
            record
        })
        .collect()
}

fn verify(records: &[AuditRecord], end: &AuditHead, noted: Option<&AuditHead>) -> Result<(), Broken> {
    let mut verifier = Verifier::new(noted.cloned());
    verifier.take(records)?;
    verifier.finish(end)
}

/// The log as a file of lines, and back; `None` where a line is no record any more.
fn lines(records: &[AuditRecord]) -> Vec<u8> {
    records
        .iter()
        .map(|record| serde_json::to_string(record).unwrap() + "\n")
        .collect::<String>()
        .into_bytes()
}

fn parse(bytes: &[u8]) -> Option<Vec<AuditRecord>> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn any_single_changed_byte_is_found() {
    let records = log(6);
    let end = records[5].head();
    assert_eq!(verify(&records, &end, None), Ok(()));
    let good = lines(&records);
    let (mut found, mut same) = (0, 0);
    for at in 0..good.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            match parse(&bytes) {
                Some(changed) if changed == records => same += 1,
                Some(changed) => {
                    verify(&changed, &end, None).expect_err(&String::from_utf8_lossy(&bytes));
                    found += 1;
                }
                // No longer a record: reading it fails.
                None => found += 1,
            }
        }
    }
    println!("{found} changed bytes found, {same} that change nothing");
    assert!(found > 3_000 && same < 10, "{found} {same}");
}

#[test]
fn what_is_gone_moved_or_added_is_found_and_named() {
    let records = log(6);
    let end = records[5].head();
    for gone in 0..6 {
        let mut left = records.clone();
        left.remove(gone);
        assert_eq!(verify(&left, &end, None), Err(Broken::Missing(gone as u64 + 1)));
        // With the numbers put right again.
        left.iter_mut().enumerate().for_each(|(at, record)| record.seq = at as u64 + 1);
        let broken = if gone == 5 { Broken::Missing(6) } else { Broken::Changed(gone as u64 + 1) };
        assert_eq!(verify(&left, &end, None), Err(broken));
    }
    for first in 0..5 {
        let mut swapped = records.clone();
        swapped.swap(first, first + 1);
        assert!(verify(&swapped, &end, None).is_err());
        (swapped[first].seq, swapped[first + 1].seq) = (first as u64 + 1, first as u64 + 2);
        assert_eq!(verify(&swapped, &end, None), Err(Broken::Changed(first as u64 + 1)));
    }
    for kept in 0..6 {
        assert_eq!(verify(&records[..kept], &end, None), Err(Broken::Missing(kept as u64 + 1)));
    }
    assert_eq!(verify(&log(7), &end, None), Err(Broken::End(7)));
    assert_eq!(verify(&[], &AuditHead::empty(), None), Ok(()));
}

#[test]
fn a_log_that_was_written_anew_does_not_fit_a_noted_record() {
    let records = log(6);
    let noted = records[3].head();
    let mut anew = records.clone();
    anew[1].who = "token:other".into();
    let mut before = records[0].hash.clone();
    for record in &mut anew[1..] {
        record.hash = record.expected_hash(&before);
        before.clone_from(&record.hash);
    }
    let end = anew[5].head();
    assert_eq!(verify(&anew, &end, None), Ok(()));
    assert_eq!(verify(&anew, &end, Some(&noted)), Err(Broken::Changed(4)));
    assert_eq!(verify(&records[..2], &records[1].head(), Some(&noted)), Err(Broken::Missing(3)));
    assert_eq!(noted.to_string().parse(), Ok(noted));
    assert!("4".parse::<AuditHead>().is_err() && "4:xyz".parse::<AuditHead>().is_err());
}

#[test]
fn text_does_not_move_between_fields() {
    let record = log(1).remove(0);
    let moved = AuditRecord { who: "token:c".into(), what: "ipromote".into(), ..record.clone() };
    assert_ne!(moved.expected_hash(""), record.expected_hash(""));
    let absent = AuditRecord { detail: Some(String::new()), ..record.clone() };
    assert_ne!(absent.expected_hash(""), record.expected_hash(""));
}
