"""Parses PowerShell scripts with tree-sitter's grammar. Prints the parts that do not parse, and then exits with 1."""

import sys

import tree_sitter
import tree_sitter_powershell

parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
faults = []
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        root = parser.parse(file.read()).root_node
    nodes = [root]
    while nodes:
        node = nodes.pop()
        nodes.extend(node.children)
        if node.is_error or node.is_missing:
            faults.append(f"{name}:{node.start_point.row + 1}:{node.start_point.column + 1}: {node.type}")
print("\n".join(faults))
sys.exit(bool(faults))
