use super::FittedDetector;
use crate::Result;
use crate::estimator::IntoInput;
use crate::method::{MemberPlaces, Members};

impl FittedDetector {
    /// Where each sample lies by each member of a [`Committee`](crate::method::Committee), the default for vectors:
    /// which of them it is that finds a sample anomalous. `None` of a detector that is none.
    ///
    /// See [`MemberPlaces`] for an example. What about the sample is anomalous, to the committee as a whole, says
    /// [`explain`](Self::explain).
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn members(&self, input: impl IntoInput) -> Result<Option<Vec<MemberPlaces>>> {
        let Some(members) = Members::of(&self.method, self.model.as_ref()) else {
            return Ok(None);
        };
        let (samples, _) = self.numbers(input)?;
        let (samples, _) = self.accepted(samples, self.check)?;
        let mut all = members.without_samples();
        let size = self.config.train.batch_size;
        for (batch, raw) in samples.batches(size, samples.device())?.enumerate() {
            let xs = self.transformed(batch * size, &raw?)?;
            for (all, own) in all.iter_mut().zip(members.places(&xs)?) {
                all.extend(own);
            }
        }
        Ok(Some(members.named(all)))
    }
}
