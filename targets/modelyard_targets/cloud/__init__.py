"""What clouds share: machines that are offered at a price, choosing among them, pools of nodes, and what they cost."""
