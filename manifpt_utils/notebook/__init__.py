"""What a notebook needs: checked parameters, findings, figures, the renderer."""
