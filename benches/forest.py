"""scikit-learn's side of forest.rs: median ms at its default settings, and with all cores.

    python benches/forest.py        # needs scikit-learn
"""
import numpy as np
from sklearn.ensemble import IsolationForest

from timing import median

rows = np.random.default_rng(0).standard_normal((100_000, 30)).astype(np.float32)
few, one = rows[:10_000], rows[:1]
for jobs in (None, -1):
    fit = lambda: IsolationForest(random_state=0, n_jobs=jobs).fit(few)
    fitted = fit()
    print(f"n_jobs={jobs}")
    print(f"  fit 10,000     {median(fit):9.2f}")
    print(f"  score 100,000  {median(lambda: fitted.score_samples(rows)):9.2f}")
    print(f"  score 128      {median(lambda: fitted.score_samples(rows[:128])):9.2f}")
    print(f"  score 1        {median(lambda: fitted.score_samples(one)):9.2f}")
