from .vec_env import MinAtarVecEnv

__all__ = ["MinAtarVecEnv"]
