"""One YAML spec for a whole ML system, compiled into Pulumi projects."""

__version__ = "0.1.0"
