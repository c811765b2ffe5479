"""Segmentation losses; :func:`spinetk.segmentation.losses.choose.make_loss` gives them by name.

Every loss is a module called as ``loss(output, mask)`` or, where ``needs_distance`` says so,
``loss(output, mask, distance)``: the network's output, the 0/1 mask (N, 1, *S) as float, and the signed distance map of
the mask, same shape, in mm. Every loss works on logits.
"""
