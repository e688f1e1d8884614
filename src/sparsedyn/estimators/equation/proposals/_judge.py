"""The judge of candidates: constants are fitted and rounded, and one criterion says which equation to believe."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import gcd, pi

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.equations import complexity, simplified
from sparsedyn.equations.symbolic import parametrized, symbols
from sparsedyn.estimators.equation.proposals._surrogates import smooth
from sparsedyn.training.parsimony import bic

Function = Callable[[np.ndarray, Sequence[float]], np.ndarray]
"""Columns and the values of constants to values of an expression, an axis for the output behind."""

ITERATIONS = 30
MOST_CONSTANTS = 24
EXACT = 1e-8
"""Relative error below which only rounding is left."""
FAR = 1e100
"""Relative error of what has no value worth the name."""
STEP = 6e-6
LEAST_DAMPING = 1e-13
POOR = 0.5
"""Relative error above which an equation explains too little to be believed."""
UNEXPLAINED = 4.0
"""Standard deviations of the F ratio beyond which residuals are no noise."""


@dataclass(frozen=True)
class Fitted:
    """An expression with fitted constants: its relative error on rows to fit, on those held out, and its score."""

    expression: sympy.Expr
    error: float
    score: float
    length: float
    rounded: bool = False


@dataclass(frozen=True)
class Judge:
    """Samples that equations are fitted to, `x` and `y`, and those that they are judged by as well."""

    names: tuple[str, ...]
    x: Float[np.ndarray, "sample feature"]
    y: Float[np.ndarray, " sample"]
    x_held: Float[np.ndarray, "held_out feature"]
    y_held: Float[np.ndarray, " held_out"]

    def judged(self, expression: sympy.Expr, *, refine: bool = True) -> Fitted | None:
        """Return the candidate with its constants fitted, or nothing for one that has no values here."""
        try:
            function, floats = parametrized([expression], symbols(self.names))
        except Exception:  # SymPy's printers raise what they like.
            return None
        start = np.asarray([float(number) for number in floats])
        if len(start) > MOST_CONSTANTS or not np.isfinite(start).all():
            return None
        constants = fitted(function, start, self.x, self.y) if refine and len(start) else start
        error = self._error(function, constants)
        if not np.isfinite(error):
            return None
        made = expression.xreplace({old: sympy.Float(new) for old, new in zip(floats, constants, strict=True)})
        return self.scored(made, error)

    def scored(self, expression: sympy.Expr, error: float) -> Fitted:
        """Return an expression with its score."""
        length = complexity(expression) + price_of_numbers(expression, len(self.y))
        return Fitted(expression, error, float(bic(error**2, length, len(self.y))), length)

    def _error(self, function: Function, constants: np.ndarray) -> float:
        spread = float(np.std(self.y)) or float(np.std(self.y_held)) or 1.0
        errors = []
        with np.errstate(all="ignore"):
            for x, y in ((self.x, self.y), (self.x_held, self.y_held)):
                off = function(x, list(constants))[:, 0] - y
                errors.append(float(np.sqrt(np.mean(off**2))) / spread)
        return max(errors) if max(errors) < FAR else float("inf")

    def rounded(self, one: Fitted) -> Fitted:
        """Return the candidate with simple numbers in the place of constants, wherever that lowers its score."""
        if one.rounded:
            return one
        best = one
        while True:
            trial = self._simpler(best)
            if trial is None:
                break
            best = trial
        forms = [self.judged(form, refine=False) for form in _forms(best.expression)]
        return min(
            [best, *(form for form in forms if form is not None)], key=lambda f: (f.score, len(str(f.expression)))
        )

    def _simpler(self, one: Fitted) -> Fitted | None:
        """Return the candidate with one constant rounded, the others fitted again, if that lowers the score."""
        function, floats = parametrized([one.expression], symbols(self.names))
        constants = np.asarray([float(number) for number in floats])
        if not len(constants):
            return None
        _, errors = uncertainty(function, constants, self.x, self.y)
        count = len(self.y)
        options: list[tuple[float, int, int, sympy.Expr]] = []
        for i, (value, deviation) in enumerate(zip(constants, errors, strict=True)):
            for rank, number in simple_near(value):
                off = float(number) - value
                if abs(off) > max(4 * deviation, 1e-7 * abs(value), 1e-9):
                    continue
                changed = one.expression.xreplace({floats[i]: number})
                if changed.has(sympy.zoo, sympy.nan, sympy.oo):
                    continue
                # What rounding adds to the squared error once the other constants have followed.
                steps = min(abs(off) / max(deviation, 1e-300), 1e150)
                added = steps**2 * one.error**2 / max(count - len(constants), 1)
                if one.error < EXACT:
                    added = 0.0
                rated = self.scored(changed, float(np.sqrt(one.error**2 + added))).score
                options.append((rated + 0.01 * rank, len(options), i, number))
        for guess, _, i, number in sorted(options, key=lambda option: option[:2])[:4]:
            if guess >= one.score:
                break
            free = np.arange(len(constants)) != i
            start = constants.copy()
            start[i] = float(number)

            def held(
                x: np.ndarray, values: Sequence[float], start: np.ndarray = start, free: np.ndarray = free
            ) -> np.ndarray:
                every = start.copy()
                every[free] = values
                return function(x, list(every))

            values = fitted(held, constants[free], self.x, self.y) if free.any() else constants[free]
            error = self._error(held, values)
            if not np.isfinite(error):
                continue
            left = dict(zip([f for f, keep in zip(floats, free, strict=True) if keep], values, strict=True))
            new = one.expression.xreplace({floats[i]: number, **{f: sympy.Float(v) for f, v in left.items()}})
            trial = self.scored(new, error)
            if trial.score < one.score:
                return trial
        return None

    def settled(self, one: Fitted) -> Fitted:
        """Return a candidate with its constants fitted to all samples; its error and score stay."""
        if one.error < EXACT:
            return one
        function, floats = parametrized([one.expression], symbols(self.names))
        if not floats:
            return one
        start = np.asarray([float(number) for number in floats])
        values = fitted(function, start, *self.all)
        made = one.expression.xreplace({old: sympy.Float(new) for old, new in zip(floats, values, strict=True)})
        return replace(one, expression=made)

    @property
    def all(self) -> tuple[np.ndarray, np.ndarray]:
        """All samples."""
        return np.concatenate([self.x, self.x_held]), np.concatenate([self.y, self.y_held])


def _forms(expression: sympy.Expr) -> list[sympy.Expr]:
    """Return other ways to write an expression."""
    short = simplified(expression)
    found = [short]
    for rewrite in (sympy.expand, sympy.together, sympy.factor_terms, sympy.powsimp):
        try:
            found.append(simplified(rewrite(short)))
        except Exception:  # SymPy's algorithms raise what they like.
            continue
    for sign in (1, -1):
        rooted = short.replace(_has_root, lambda root, sign=sign: _rooted(root, sign))
        if rooted != short:
            found.append(simplified(rooted))
    return found


def _has_root(expression: sympy.Expr) -> bool:
    return bool(expression.is_Pow and expression.exp.is_Rational and expression.exp.q == 2)


def _rooted(root: sympy.Expr, sign: int) -> sympy.Expr:
    """Return an odd power of the root of a square of a sine or cosine without the root, which has two signs."""
    found = _square(root.base)
    if found is None:
        return root
    amount, function = found
    return sign * amount**root.exp * function ** (2 * root.exp)


def _square(total: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Return a number and the sine or cosine whose square times that a sum is, by way of Pythagoras or half angles."""
    number, rest = total.as_coeff_Add()
    factor, function = rest.as_coeff_Mul()
    if not number > 0 or abs(abs(float(factor / number)) - 1) > 1e-9:
        return None
    turned = bool(factor / number < 0)
    if isinstance(function, sympy.cos):
        half = function.args[0] / 2
        return 2 * number, sympy.sin(half) if turned else sympy.cos(half)
    if turned and function.is_Pow and function.exp == 2 and isinstance(function.base, (sympy.sin, sympy.cos)):
        other = sympy.cos if isinstance(function.base, sympy.sin) else sympy.sin
        return number, other(function.base.args[0])
    return None


def price_of_numbers(expression: sympy.Expr, samples: int) -> float:
    """Return what the numbers of an expression cost besides its symbols, in symbols.

    A constant with all its digits costs one, as BIC has it; a fraction p/q costs ln(p q) / ln n, at most one, and pi is
    worth a third.
    """
    total = 0.0
    for part in sympy.preorder_traversal(expression):
        if part.is_Float:
            total += 1.0
        elif part.is_Rational:
            total += min(float(np.log(max(abs(part.p), 1) * part.q) / np.log(samples)), 1.0)
        elif part is sympy.pi:
            total += 1 / 3
    return total


def explained(judge: Judge, one: Fitted, tables: Sequence[np.ndarray]) -> bool:
    """Whether an equation leaves nothing but rounding, or noise that no smooth function of any of the tables explains.

    The fewer columns a table has, the more a smooth function can see.
    """
    if one.error < EXACT:
        return True
    if one.error > POOR:
        return False
    function, floats = parametrized([one.expression], symbols(judge.names))
    off = judge.y - function(judge.x, [float(number) for number in floats])[:, 0]
    return all(_noise(off - off.mean(), x) for x in (judge.x, *tables))


def _noise(off: np.ndarray, x: np.ndarray) -> bool:
    """Whether residuals are nothing that a smooth function explains, by an F test."""
    fits = smooth(x, off, np.ones_like(off))
    left, terms = fits.error * (len(off) - fits.terms) / float(off @ off), fits.terms
    ratio = ((1 - left) / terms) / (left / (len(off) - terms))
    return bool(ratio < 1 + UNEXPLAINED * np.sqrt(2 / terms + 2 / (len(off) - terms)))


def uncertain(
    expression: sympy.Expr,
    names: tuple[str, ...],
    x: Float[np.ndarray, "sample feature"],
    y: Float[np.ndarray, " sample"],
) -> tuple[list[sympy.Expr], Float[np.ndarray, " constant"]]:
    """Return the numbers that an equation multiplies by or adds, and their standard errors by Laplace's approximation.

    All are taken as free, rounded ones too; exponents and signs are part of the form.
    """
    numbers: dict[sympy.Expr, sympy.Dummy] = {}

    def opened(part: sympy.Expr) -> sympy.Expr:
        if not part.args or not part.free_symbols:
            return part
        if part.is_Pow:
            return (
                opened(part.args[0]) ** part.args[1]
                if not part.args[1].free_symbols
                else part.func(*map(opened, part.args))
            )
        if part.is_Mul or part.is_Add:
            constant = part.func(*(one for one in part.args if not one.free_symbols))
            others = [opened(one) for one in part.args if one.free_symbols]
            if (abs(constant) == 1 and part.is_Mul) or constant == 0:
                return part.func(constant, *others)
            return part.func(numbers.setdefault(constant, sympy.Dummy(real=True)), *others)
        return part.func(*map(opened, part.args))

    form = opened(expression)
    if not numbers:
        return [], np.zeros(0)
    function, floats = parametrized([form], [*symbols(names), *numbers.values()])
    fixed = [float(number) for number in floats]

    def of(rows: np.ndarray, values: Sequence[float]) -> np.ndarray:
        return function(np.column_stack([rows, np.broadcast_to(values, (len(rows), len(values)))]), fixed)

    return list(numbers), uncertainty(of, np.asarray([float(number) for number in numbers]), x, y)[1]


def fitted(function: Function, start: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return constants of least squares, by Levenberg-Marquardt from a start."""
    with np.errstate(all="ignore"):
        constants, damping = start.copy(), 1e-3
        off = function(x, list(constants))[:, 0] - y
        cost = float(off @ off)
        if not np.isfinite(cost):
            return start
        floor = (1e-15 * np.linalg.norm(y)) ** 2
        for _ in range(ITERATIONS):
            jacobian = _jacobian(function, constants, x)
            if not np.isfinite(jacobian).all() or cost <= floor:
                break
            scale = np.linalg.norm(jacobian, axis=0)
            scale[scale == 0] = 1.0
            scaled = jacobian / scale
            normal, slope = scaled.T @ scaled, scaled.T @ off
            for _ in range(6):
                change = np.linalg.solve(normal + damping * np.eye(len(normal)), slope) / scale
                trial = constants - change
                new = function(x, list(trial))[:, 0] - y
                lower = float(new @ new)
                if np.isfinite(lower) and lower < cost:
                    break
                damping = max(damping, 1e-9) * 8
            else:
                break
            done = cost - lower < 1e-9 * cost
            constants, off, cost, damping = trial, new, lower, max(damping / 10, LEAST_DAMPING)
            if done:
                break
    return constants


def _jacobian(function: Function, constants: np.ndarray, x: np.ndarray) -> np.ndarray:
    columns = []
    for i, value in enumerate(constants):
        step = STEP * max(abs(value), 1e-3)
        up, down = constants.copy(), constants.copy()
        up[i] += step
        down[i] -= step
        columns.append((function(x, list(up))[:, 0] - function(x, list(down))[:, 0]) / (up[i] - down[i]))
    return np.stack(columns, axis=1)


def uncertainty(
    function: Function, constants: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the covariance of constants by Laplace's approximation, and their standard errors."""
    with np.errstate(all="ignore"):
        jacobian = _jacobian(function, constants, x)
        off = function(x, list(constants))[:, 0] - y
        if not np.isfinite(jacobian).all():
            return np.full((len(constants),) * 2, np.inf), np.full(len(constants), np.inf)
        scale = np.linalg.norm(jacobian, axis=0)
        scale[scale == 0] = 1.0
        scaled = jacobian / scale
        inverse = np.linalg.pinv(scaled.T @ scaled, rcond=1e-14, hermitian=True)
        variance = float(off @ off) / max(len(y) - len(constants), 1)
        covariance = variance * inverse / np.outer(scale, scale)
    return covariance, np.sqrt(np.maximum(np.diag(covariance), 0))


def simple_near(value: float) -> list[tuple[int, sympy.Expr]]:
    """Return simple numbers around a constant, each with its rank: the lower, the simpler."""
    found: list[tuple[int, sympy.Expr]] = []
    whole = round(value)
    if abs(whole) <= 100:
        found.append((0 if abs(whole) <= 1 else 1, sympy.Integer(whole)))
    for below in range(2, 13):
        above = round(value * below)
        if 0 < abs(above) <= 12 and gcd(above, below) == 1:
            found.append((below, sympy.Rational(above, below)))
    for below in (1, 2, 3, 4, 6):
        above = round(value * below / pi)
        if 0 < abs(above) <= 12 and gcd(above, below) == 1:
            found.append((3 + abs(above) + below, above * sympy.pi / below))
    for above in (1, 2, 3):
        below = round(above / (value * pi)) if value else 0
        if 0 < abs(below) <= 16 and gcd(above, below) == 1:
            found.append((4 + above + abs(below), sympy.Rational(above, below) / sympy.pi))
    return found
