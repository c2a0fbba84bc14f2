"""What the cards of the study's models say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

from cloudchamber.provenance.card_kind import CardKind, Row, in_words, markdown_table, values
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.neutron_stars.curve_file import PARTS, read_curves
from cloudchamber.studies.neutron_stars.network_settings import SetNetwork
from cloudchamber.studies.neutron_stars.quantities import COMBINATION, LOWER, UPPER
from cloudchamber.studies.neutron_stars.settings import StarModelSettings
from cloudchamber.studies.neutron_stars.star_sets import read_sets

__all__ = ["StarModelCard"]


@final
class StarModelCard(CardKind):
    """Card of a model that infers an equation of state from stars.

    Its files have "curves", "grid" and "sets" of the study; the data set is the condition that metrics are shown of.
    """

    keys: ClassVar[Sequence[str]] = ("curves", "grid", "sets")
    settings_type: ClassVar[type[TrainableSettings]] = StarModelSettings
    uses: ClassVar[Sequence[str]] = (
        (
            "To study inference from a few noisy observations: to compare networks with each other and with the exact "
            "posterior, which this simulation has."
        ),
        "To try new estimators, losses and densities where the best possible result is known.",
    )
    limits: ClassVar[Sequence[str]] = (
        (
            "It knows equations of state of one family with two parameters, in a narrow box with a flat prior. Of "
            "other matter it says nothing, and it gives no warning there."
        ),
        (
            "It takes masses and radii with Gaussian noise of the levels of its training, and no more stars of a set "
            "than there. X-ray spectra, distances and temperatures are not part of it."
        ),
        "lambda_2 is hardly measured by any method: estimates of it are near the average of the prior.",
        "A percentage error looks small whatever the model does, since the prior is narrow: see that of the floor.",
        "A coverage away from the probability of its interval says that the posterior is too narrow or too wide.",
    )
    stand_in: ClassVar[str] = (
        "The stars are this project's own simulation, a stand-in for data that are not public. No number here may "
        "be compared with a number printed for another data set, and none says anything of real stars."
    )
    how_to_read: ClassVar[str] = (
        "Value ± uncertainty over resamplings of the test sets of the data set above; with several seeds their "
        "mean, in brackets the standard deviation over seeds. The floor is the value of the constant, which knows "
        "the prior alone; the ceiling is that of the exact posterior, which no method beats but by chance. "
        f"`combination` is lambda_1 + {COMBINATION} lambda_2, nearly all that radii depend on."
    )
    metrics: ClassVar[Mapping[str, str]] = {
        "bias": "mean of estimate less truth (radii in km, masses in solar masses)",
        "rmse": "root mean square of the same",
        "skill": "one less the mean square error over that of the constant",
        "ratio_to_bayes": "root mean square error over that of the exact posterior",
        "mape": "mean absolute percentage error of a parameter",
        "coverage_68": "share of sets whose truth is in the central interval of 68.27 %",
        "coverage_95": "share of sets whose truth is in the central interval of 95.45 %",
        "nll": "mean negative logarithm of the posterior density at the truth, over that of the prior, in nats",
        "log_ratio_error": "root mean square error of the logarithm of the likelihood ratio at the truth, in nats",
    }
    sample: ClassVar[str] = "sets of stars"
    limits_of_values: ClassVar[Mapping[str, str]] = {"floor": "floor", "ceiling": "ceiling"}

    def model(
        self, files: Mapping[str, Any], settings: StarModelSettings, described: Mapping[str, Any]
    ) -> tuple[str, list[Row]]:
        network = settings.network
        sets, point = isinstance(network, SetNetwork), getattr(network, "output", "density") == "point"
        if not sets:
            what = "A model of single stars: summed over a set and scanned over the box it gives a posterior."
        elif point:
            what = "Point estimates of the equation of state from a set of stars, and of radii and the maximum mass."
        else:
            what = "A posterior density of the equation of state from a set of stars."
        numbers = ", ".join(map(str, settings.stars.numbers))
        noise = "; ".join(f"{item.mass:g} solar masses, {item.radius:g} km" for item in settings.stars.noise)
        rows = [
            ("network", f"{in_words(network)}: {values(network)}"),
            ("stars of a set", numbers),
            ("noise of mass and radius", noise),
        ]
        return what, rows

    def data(self, files: Mapping[str, Any]) -> list[str]:
        curves, sets = read_curves(Path(files["curves"])), read_sets(Path(files["sets"]))
        parts = ", ".join(f"{len(curves.indices[name]):,} {name}" for name in PARTS)
        box = ", ".join(
            f"{name} from {low:g} to {high:g}"
            for name, low, high in zip(("lambda_1", "lambda_2"), LOWER, UPPER, strict=True)
        )
        rows = [
            ("from", files["origin"]),
            ("equations of state", f"{len(curves):,}: {parts}"),
            ("their parameters", f"{box}, uniform"),
            ("maximum mass below two solar masses", f"{curves.meta['below_two']:,} of them, which stay"),
            ("data set of the metrics", files["dataset"]),
            ("its test sets", f"{len(sets.rows('test', files['dataset'])):,}, each of another equation of state"),
        ]
        return [
            markdown_table(rows),
            "Stars and noise of the training are drawn anew in each step. No equation of state is in two parts.",
        ]

    def usage(self, files: Mapping[str, Any]) -> list[str]:
        first = files["trainings"][0]
        command = (
            f"cloudchamber neutron_stars estimate {files['sets']} {files['grid']} --model {first['weights']}"
            f" {first['description']} --output estimates.h5 --case case.h5"
        )
        told = "`estimates.h5` has the estimates of every test set, `case.h5` the posterior of one of them."
        return [f"```\n{command}\n```", told]
