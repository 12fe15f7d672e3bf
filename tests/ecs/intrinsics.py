"""As much of CloudFormation as the templates use: parameters in, plain resources out."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "ecs/service.yaml"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "order-relay",
    "AWS::URLSuffix": "amazonaws.com",
}
REFERENCES = {
    "LeaseTable": "order-relay-leases",
    "DeadLetters": "https://sqs.eu-central-1.amazonaws.com/123456789012/order-relay-dead-letters",
    "Logs": "/ecs/order-relay",
    "FunctionLogs": "/aws/lambda/order-relay",
    "ThrownAway": "order-relay-thrownaway-1a2b3c",
    "Relay": "order-relay",
    "Redrive": "order-relay-redrive",
    "Mapping": "14e0db71-5d35-4eb5-b481-8945cf9d10c2",
}
ATTRIBUTES = {
    "LeaseTable.Arn": "arn:aws:dynamodb:eu-central-1:123456789012:table/order-relay-leases",
    "DeadLetters.Arn": "arn:aws:sqs:eu-central-1:123456789012:order-relay-dead-letters",
    "DeadLetters.QueueName": "order-relay-dead-letters",
    "ThrownAway.Arn": "arn:aws:s3:::order-relay-thrownaway-1a2b3c",
}
_NO_VALUE = object()


class _Loader(yaml.SafeLoader):
    pass


def _function(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise TypeError(node.tag)
    return {f"!{tag}": value}


_Loader.add_multi_constructor("!", _function)


@cache
def template(file: Path = TEMPLATE) -> dict[str, Any]:
    """With functions as `{"!Name": argument}`."""
    read: dict[str, Any] = yaml.load(file.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    return read


class Stack:
    """The resources that these parameters make, with every function resolved.

    `refused` has what the rules of the template say against the parameters.
    """

    def __init__(self, file: Path = TEMPLATE, /, **parameters: str) -> None:
        self._template = template(file)
        defaults = {
            name: str(each["Default"])
            for name, each in self._template["Parameters"].items()
            if "Default" in each
        }
        self._parameters = defaults | parameters
        self.resources: dict[str, Any] = {
            name: self._resolved(each["Properties"])
            for name, each in self._template["Resources"].items()
            if "Condition" not in each or self._holds(each["Condition"])
        }

        self.refused = [
            each["AssertDescription"]
            for rule in self._template["Rules"].values()
            if self._resolved(rule["RuleCondition"])
            for each in rule["Assertions"]
            if not self._resolved(each["Assert"])
        ]

    def _holds(self, condition: str) -> bool:
        return bool(self._resolved(self._template["Conditions"][condition]))

    def _resolved(self, value: Any) -> Any:
        match value:
            case dict() if len(value) == 1 and str(next(iter(value))).startswith("!"):
                ((name, argument),) = value.items()
                return self._call(name, argument)
            case dict():
                pairs = {name: self._resolved(each) for name, each in value.items()}
                return {name: each for name, each in pairs.items() if each is not _NO_VALUE}
            case list():
                each = [self._resolved(one) for one in value]
                return [one for one in each if one is not _NO_VALUE]
            case _:
                return value

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "!Ref" if argument == "AWS::NoValue":
                return _NO_VALUE
            case "!Ref":
                return (PSEUDO | REFERENCES | self._parameters).get(argument, f"<{argument}>")
            case "!GetAtt":
                return ATTRIBUTES.get(argument, f"<{argument}>")
            case "!Sub":
                return re.sub(r"\$\{(.+?)\}", self._inserted, argument)
            case "!If":
                return self._resolved(argument[1] if self._holds(argument[0]) else argument[2])
            case "!Equals":
                first, second = self._resolved(argument)
                return first == second
            case "!Not":
                return not self._resolved(argument[0])
            case "!Join":
                separator, values = argument[0], self._resolved(argument[1])
                return separator.join([values] if isinstance(values, str) else values)
            case "!Select":
                index, values = self._resolved(argument)
                return values[int(index)]
            case "!Split":
                separator, text = self._resolved(argument)
                return text.split(separator)
            case "!FindInMap":
                first, second, third = self._resolved(argument)
                return self._template["Mappings"][first][second][third]
        raise AssertionError(f"unknown function {name}")

    def _inserted(self, found: re.Match[str]) -> str:
        name = "!GetAtt" if "." in found[1] and "::" not in found[1] else "!Ref"
        return str(self._call(name, found[1]))
