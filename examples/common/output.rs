use std::io::{Error, ErrorKind};

/// The result of writing to standard output, where a reader that has seen enough, such as `head`, is no error.
pub fn read_far_enough(written: anyhow::Result<()>) -> anyhow::Result<()> {
    let is_closed = |error: &anyhow::Error| {
        let cause = error.root_cause().downcast_ref::<Error>();
        cause.is_some_and(|cause| cause.kind() == ErrorKind::BrokenPipe)
    };
    match written {
        Err(error) if is_closed(&error) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn only_a_reader_that_left_is_no_error() {
        let failed = |kind| Err::<(), _>(Error::from(kind)).context("the report");
        assert!(read_far_enough(failed(ErrorKind::BrokenPipe)).is_ok());
        assert!(read_far_enough(failed(ErrorKind::StorageFull)).is_err());
        assert!(read_far_enough(Err(anyhow::anyhow!("a row is missing"))).is_err());
        assert!(read_far_enough(Ok(())).is_ok());
    }
}
