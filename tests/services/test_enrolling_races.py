"""Two people enrolling the same patient at the same moment."""

from concurrent.futures import ThreadPoolExecutor

from tests.clinic import Clinic


def test_ten_at_once_make_one_patient_and_one_enrollment(clinic: Clinic) -> None:
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda _: clinic.enroll(), range(10)))
    assert len({result.enrollment_id for result in results}) == 1
    assert sum(result.is_new for result in results) == 1
