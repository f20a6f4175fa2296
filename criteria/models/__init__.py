"""Models of the standard and of its assessments."""

from criteria.models.assessment import Assessment, Verdict
from criteria.models.standard import Category, Criterion, Framework, Level, Requirement

__all__ = ("Assessment", "Category", "Criterion", "Framework", "Level", "Requirement", "Verdict")
